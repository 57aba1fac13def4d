export const document = {
  openapi: '3.1.0',
  info: {
    title: 'Whylight',
    version: '1',
    description:
      'Explains what an image classifier looked at. Announce a photo (`POST /v1/uploads`), PUT its bytes to the ' +
      'signed URL, ask (`POST /v1/explanations`), fetch the pictures. What was asked before is answered at once. ' +
      'Answers have the form of version 2026-12-01, which this document describes. The header ' +
      '`X-Api-Version: 2026-11-01` gets the form of before: `score` is the probability, a warning is one string, ' +
      'a target has its short form, and nothing names a `task`.',
  },
};
