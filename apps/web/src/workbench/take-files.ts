import { filesDropped } from '@whylight/web';
import type { Workbench } from './workbench.ts';

const isOfModel = ({ name }: File): boolean => /\.onnx$/i.test(name);

/** Takes what is dropped anywhere on the page, or pasted: a photo, or a model with the files beside it. */
export function takeFiles(workbench: Workbench): void {
  addEventListener('dragover', (event) => {
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    document.documentElement.classList.add('dropping');
  });
  addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) document.documentElement.classList.remove('dropping');
  });
  addEventListener('drop', (event) => {
    document.documentElement.classList.remove('dropping');
    if (!event.dataTransfer?.types.includes('Files')) return;
    event.preventDefault();
    void filesDropped(event.dataTransfer).then((files) => take(workbench, files));
  });
  addEventListener('paste', (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0) return;
    event.preventDefault();
    take(workbench, files);
  });
}

function take(workbench: Workbench, files: readonly File[]): void {
  const [file] = files;
  if (files.some(isOfModel)) void workbench.chooseModel({ files });
  else if (file) void workbench.choosePhoto(file);
}
