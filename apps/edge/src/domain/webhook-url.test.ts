import { describe, expect, test } from 'vitest';
import { isPublicAddress } from './public-address.ts';
import { webhookUrl } from './webhook-url.ts';

describe('where webhooks may go', () => {
  test.each([
    'http://example.com/hook',
    'file:///etc/passwd',
    'ftp://example.com/',
    'javascript:alert(1)',
    'example.com/hook',
    'https://user@example.com/',
    'https://user:pass@example.com/',
    'https://example.com:8443/',
    'https://example.com:80/',
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://0x7f.0.0.1/',
    'https://0177.0.0.1/',
    'https://017700000001/',
    'https://①②⑦.0.0.1/',
    'https://0/',
    'https://0.0.0.0/',
    'https://10.1.2.3/',
    'https://100.64.0.1/',
    'https://169.254.169.254/latest/meta-data/',
    'https://0xa9fea9fe/',
    'https://172.16.0.1/',
    'https://172.31.255.255/',
    'https://192.168.0.1/',
    'https://198.18.0.1/',
    'https://224.0.0.1/',
    'https://255.255.255.255/',
    'https://[::1]/',
    'https://[::]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://[::127.0.0.1]/',
    'https://[64:ff9b::7f00:1]/',
    'https://[2002:7f00:1::]/',
    'https://[fd00::1]/',
    'https://[fe80::1]/',
    'https://[ff02::1]/',
    'https://[2001:db8::1]/',
    'https://localhost/',
    'https://localhost./',
    'https://LOCALHOST/',
    'https://a.localhost/',
    'https://metadata.google.internal/',
    'https://printer.local/',
    'https://intranet/',
  ])('I1: %s is refused', (url) => {
    expect(() => webhookUrl(url, false)).toThrow(/^url: /);
  });

  test.each([
    'https://example.com/hook?x=1',
    'https://example.com:443/',
    'https://8.8.8.8/',
    'https://172.32.0.1/',
    'https://[2606:4700::1111]/',
    'https://bücher.example/',
  ])('%s is taken', (url) => expect(webhookUrl(url, false).protocol).toBe('https:'));

  test('this machine is taken in development only, and then no other', () => {
    for (const url of ['http://127.0.0.1:8080/', 'http://localhost:1/', 'https://[::1]:9/'])
      expect(webhookUrl(url, true).href).toContain('//');
    for (const url of ['http://192.168.0.1/', 'http://example.com/', 'https://10.0.0.1/', 'ftp://127.0.0.1/'])
      expect(() => webhookUrl(url, true)).toThrow();
  });

  test('what is no address is not a public one', () => {
    for (const text of ['', '1.2.3', '1.2.3.4.5', '1.2.3.256', 'x', ':::', '1:2:3:4:5:6:7:8:9'])
      expect(isPublicAddress(text), text).toBe(false);
    expect(isPublicAddress('1.1.1.1')).toBe(true);
    expect(isPublicAddress('2606:4700:4700::1111')).toBe(true);
  });
});
