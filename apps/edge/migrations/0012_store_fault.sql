-- What is wrong with the object store, in words for the operator; null if nothing is.
ALTER TABLE store_check ADD COLUMN fault TEXT;
