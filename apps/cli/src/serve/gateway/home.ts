/** Names of files in the folder `gateway` of a data directory, from which the gateway's process runs. */

/** NAME=value, line by line: the settings of gateway and worker. Enough to start another worker by hand. */
export const settingsFile = '.dev.vars';

/** A unix socket: Miniflare's own entry. Its path must be short, so it is used relative to the folder. */
export const entrySocket = 'entry.sock';
