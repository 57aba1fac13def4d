import type { JSX } from 'preact';
import { addressOf, gallery } from '../photo/gallery.ts';
import { useWords } from '../words/words.ts';
import { FilePicker } from './file-picker.tsx';
import type { Parts } from './parts.ts';

export function PhotoCard({ session, workbench }: Parts): JSX.Element {
  const words = useWords().photo;
  const { reading, photoFailure } = session;
  return (
    <section aria-labelledby="photo-heading">
      <h2 id="photo-heading">{words.heading}</h2>
      <FilePicker
        label={words.choose}
        accept="image/*,.heic,.heif"
        disabled={!workbench}
        onFiles={([file]) => file && void workbench?.choosePhoto(file)}
      />
      <p class="small">{words.hint}</p>
      {reading.phase === 'running' && (
        <p class="small" role="status">
          {words.reading}
        </p>
      )}
      {photoFailure && (
        <p class="fault" role="alert">
          {words.faults[photoFailure.fault](photoFailure.file)}
        </p>
      )}
      <ul class="gallery" aria-label={words.gallery}>
        {gallery.map((name) => (
          <li key={name}>
            <button
              type="button"
              disabled={!workbench}
              title={words.names[name]}
              onClick={() => void workbench?.choosePhoto(addressOf(name))}
            >
              <img src={addressOf(name)} alt={words.names[name]} width={72} height={72} loading="lazy" />
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
