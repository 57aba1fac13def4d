/** What both sides of the tests know. None of it opens anything. */
export const credentials = { accessKeyId: 'test', secretAccessKey: 'test-secret' };
/** Webhook secrets are derived from it. */
export const webhookSecret = 'what webhook secrets are derived from';
export const workerSecret = 'a secret that gateway and worker share';
export const operatorKey = 'operator-key-of-the-tests';
/** `printf operator-key-of-the-tests | sha256sum` */
export const operatorKeySha256 = '9d7e6d5c144ee5fa02f877e8e7d3fef853b465293f2f6253184e89a2bd46d691';
export const backlogKey = 'backlog-key-of-the-tests';
/** `printf backlog-key-of-the-tests | sha256sum` */
export const backlogKeySha256 = 'c7709e693067df9240bf951848638d3a964684f5ae3e1ac9b46effc8add98d13';
