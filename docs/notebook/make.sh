#!/bin/sh
# Runs every command of docs/notebook.md and puts what it draws into OUT.
#   make.sh MODEL CATS_AND_DOGS SWAN MASK VIDEO OUT [more options for explain, such as --lang en]
# MODEL is a registered name, MASK an image as large as SWAN whose colours are the features, VIDEO what ffmpeg reads; the
# variable SIZE is the short side of a photo without a crop.
set -eu
size=${SIZE:-512}
model=$1 photo=$2 swan=$3 mask=$4 video=$5 out=$6
shift 6
here=$(cd "$(dirname "$0")/../.." && pwd)
whylight() {
  "$here/run" whylight "$@"
}
explain() {
  name=$1 && shift
  echo "== $name"
  whylight explain "$@" --model "$model" -o "$out/$name"
}
run() {
  explain smooth-grad-cam-plus-plus "$photo" --method smooth-grad-cam-plus-plus --convention torchcam --stretch "$@"
  explain predicted "$photo" --method smooth-grad-cam-plus-plus --convention torchcam --stretch --lang zh "$@"
  explain grad-cam-whole "$photo" --method grad-cam --convention pytorch-grad-cam --resize "$size" --no-crop "$@"
  explain guided-backprop-whole "$photo" --method guided-backprop --convention pytorch-grad-cam --resize "$size" --no-crop \
    --panels original_image,deprocess_image "$@"
  explain guided-grad-cam-whole "$photo" --method guided-grad-cam --resize "$size" --no-crop \
    --panels original_image,deprocess_image "$@"
  explain prediction "$swan" --method grad-cam --probabilities "$@"
  for sizes in 15,15/8,8 60,60/50,50 4,4/2,2; do
    explain occlusion-"${sizes%%,*}" "$swan" --method occlusion --convention captum \
      --param sliding_window_shapes=3,"${sizes%/*}" --param strides=3,"${sizes#*/}" \
      --panels original_image,heat_map --signs all,positive --outlier-perc 2 "$@"
  done
  explain integrated-gradients "$swan" --method integrated-gradients --convention captum --param n_steps=50 \
    --panels heat_map --signs positive --outlier-perc 1 --colormap '0:#ffffff,0.25:#000000,1:#000000' "$@"
  explain noise-tunnel "$swan" --method smooth-grad-squared --convention captum \
    --param base=integrated-gradients --param nt_samples=3 \
    --panels original_image,heat_map --signs all,positive --colormap '0:#ffffff,0.25:#000000,1:#000000' "$@"
  explain gradient-shap "$swan" --method gradient-shap --convention captum \
    --panels original_image,heat_map --signs all,absolute "$@"
  explain feature-ablation "$swan" --method feature-ablation --convention captum --feature-mask "$mask" \
    --panels original_image,heat_map --signs all,all "$@"
}
run "$@"
whylight video "$video" --model "$model" --method layer-cam --lang zh -o "$out/video.mp4"
whylight camera testsrc=size=320x240:rate=10 --format lavfi --model "$model" --method layer-cam --port 0 --frames 5
