import { problemTable } from './problem-kinds.ts';

/** Which requests and answers belong together, as the document groups them. */
const tags = {
  uploads: 'Photos. Announce a photo, and PUT its bytes to the signed URL.',
  explanations: 'What a classifier looked at: a map of the photo, as pictures and as numbers.',
  predictions: 'Which classes a model sees in a photo.',
  batches: 'Up to a hundred explanations with one request.',
  webhooks: 'Events for your server when an explanation has ended, signed as Standard Webhooks.',
  compatibility: 'Requests in the form of KServe and of Vertex AI.',
  models: 'The models of the service, and your own.',
  methods: 'The methods of explanation, and their parameters.',
  keys: 'API keys, their scopes and their ends.',
  usage: 'Your limits, and what you have used.',
  audit: 'Who changed what.',
  operator: 'Tenants and their limits. Only the key of the operator opens these.',
  health: 'Probes for load balancers and orchestrators. They need no key.',
};

const description = `Whylight explains what an image classifier looked at.

1. Announce a photo (\`POST /v1/uploads\`) and PUT its bytes to the signed URL.
2. Create an explanation (\`POST /v1/explanations\`). The service answers a question that it knows at once.
3. Fetch the pictures.

## Versions

This document describes version 2026-12-01 of the answers. \`X-Api-Version: 2026-11-01\` gets the form of the version before: \`score\`
is the probability, a warning is one string, a target has its short form, and nothing names a \`task\`. Such an answer has the header
\`Deprecation\`.

The version of the document follows Semantic Versioning. Its first number is that of the path, \`/v1\`. A release may add
operations, optional members of requests, members of answers, and values of lists that grow. In this document such a list stands beside
\`string\`: methods, scores, kinds of targets, codes of problems, failures and warnings, names of artifacts, how a cache has answered. Ignore
members and values that you do not know. A \`status\` has no other values without a new version. Requests are strict: a member that the
service does not know is refused.

## Problems

Every answer that is not 2xx or 3xx is \`application/problem+json\` (RFC 9457). Programs go by \`code\`, and by \`status\` where they do
not know the code. Where the table says "yes", the same request may succeed later. Refusals of KServe’s routes have the same members and
\`error\`, and are \`application/json\`, as its clients expect.

${problemTable()}
`;

export const document = {
  openapi: '3.1.0',
  info: {
    title: 'Whylight',
    version: '1.2.0',
    description,
    contact: { name: 'Whylight', url: 'https://github.com/whylight/whylight' },
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  tags: Object.entries(tags).map(([name, text]) => ({ name, description: text })),
};
