/**
 * Returns the files of a drop: the dropped files, and all files directly in a dropped folder. Call it in the handler of
 * the `drop` event itself: afterwards the browser has emptied the list.
 */
export async function filesDropped(dropped: DataTransfer): Promise<File[]> {
  const items = Array.from(dropped.items, (item) => item.webkitGetAsEntry() ?? item.getAsFile());
  const found = await Promise.all(
    // Dropped text is neither a file nor a folder.
    items.map((item) => (item instanceof File ? [item] : item ? filesOf(item) : [])),
  );
  return found.flat();
}

async function filesOf(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) return [await fileOf(entry as FileSystemFileEntry)];
  const inside = await entriesOf((entry as FileSystemDirectoryEntry).createReader());
  return Promise.all(
    inside.filter(({ isFile }) => isFile).map((file) => fileOf(file as FileSystemFileEntry)),
  );
}

const fileOf = (entry: FileSystemFileEntry): Promise<File> =>
  new Promise((resolve, reject) => entry.file(resolve, reject));

/** Reads all entries; a reader gives at most a hundred entries at a time. */
async function entriesOf(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return all;
    all.push(...some);
  }
}
