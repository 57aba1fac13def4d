/** Of two Host headers, or of one that is no host, workerd makes an address that is no URL. */
export const isAddressed = ({ url }: Request): boolean => URL.canParse(url);

export const badHost = (): Response => {
  const detail = 'Expected one Host header that names a host.';
  const problem = {
    type: 'about:blank',
    title: 'Bad Request',
    status: 400,
    detail,
    code: 'invalid_parameter',
  };
  return new Response(JSON.stringify(problem), {
    status: 400,
    headers: { 'Content-Type': 'application/problem+json' },
  });
};
