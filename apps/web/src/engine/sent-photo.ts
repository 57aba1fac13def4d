import type { Photo } from '../photo/photo.ts';
import type { Watch } from './engine.ts';
import { fileFor } from './service-photo.ts';
import { untilReached } from './until-reached.ts';

type Upload = (bytes: Uint8Array<ArrayBuffer>, type: string) => Promise<{ readonly id: string }>;

interface Sent {
  readonly photo: Photo;
  readonly id: Promise<string>;
  /** Ends the tries when another photo is sent. */
  readonly replaced: AbortController;
}

/**
 * Sends each photo to the service once, for all questions about it. Whoever asks first may stop: the others still need the photo,
 * so only another photo ends the tries.
 */
export class SentPhoto {
  readonly #upload: Upload;
  #last: Sent | null = null;

  constructor(upload: Upload) {
    this.#upload = upload;
  }

  /** @returns the upload's id. @throws the reason of the signal; as `untilReached` */
  async idOf(photo: Photo, { signal, onReach }: Pick<Watch, 'signal' | 'onReach'>): Promise<string> {
    if (this.#last?.photo !== photo) this.#last = this.#send(photo, onReach);
    const id = await this.#last.id;
    signal.throwIfAborted();
    return id;
  }

  #send(photo: Photo, onReach: Watch['onReach']): Sent {
    this.#last?.replaced.abort(new DOMException('Another photo is sent.', 'AbortError'));
    const replaced = new AbortController();
    const send = async () => {
      const { bytes, type } = await fileFor(photo);
      const watch = { signal: replaced.signal, ...(onReach && { onReach }) };
      return (await untilReached(() => this.#upload(bytes, type), watch)).id;
    };
    const sent = { photo, id: send(), replaced };
    sent.id.catch(() => {
      if (this.#last === sent) this.#last = null;
    });
    return sent;
  }
}
