export const document = {
  openapi: '3.1.0',
  info: {
    title: 'Whylight',
    version: '1',
    description:
      'Whylight explains what an image classifier looked at. Announce a photo (`POST /v1/uploads`), PUT its bytes to the ' +
      'signed URL, create an explanation (`POST /v1/explanations`), and fetch the pictures. The service answers a ' +
      'question that it knows at once. Answers have the form of version 2026-12-01, which this document describes. ' +
      'The header `X-Api-Version: 2026-11-01` gets the form of the version before: `score` is the probability, a ' +
      'warning is one string, a target has its short form, and nothing names a `task`.',
  },
};
