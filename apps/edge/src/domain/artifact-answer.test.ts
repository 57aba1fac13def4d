import { expect, test } from 'vitest';
import { mayRedirect } from './artifact-answer.ts';

test('L11: nobody is redirected to a subdomain of the API’s host, to which clients send the key', () => {
  expect(mayRedirect('curl/8.0', 'api.example.com', 's3.api.example.com')).toBe(false);
  expect(mayRedirect(undefined, 'api.example.com', 'a.b.api.example.com')).toBe(false);
  for (const store of [
    's3.example.com',
    'example.com',
    'notapi.example.com',
    'api.example.com.store.example',
  ])
    expect(mayRedirect('curl/8.0', 'api.example.com', store), store).toBe(true);
});
