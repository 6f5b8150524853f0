#!/usr/bin/env bash
# Makes the files of this folder with an older version: make.sh CHECKOUT_OF_THAT_VERSION NEW_FOLDER
# PYTHON is one that has the packages of Testing/constraints.txt.
set -euo pipefail
checkout=$(cd "$1" && pwd)
mkdir "$2" && cd "$2"
export PYTHONPATH="$checkout/SkullGAN" OMP_NUM_THREADS=1
python="${PYTHON:-python3}"
skullgan() { "$python" -m SkullGANLib "$@"; }

# By names without a folder: the files note what they were made from.
cp "$checkout/Resources/SampleData/SampleHeadCT.nrrd" .
skullgan extract SampleHeadCT.nrrd -o training.h5 --planes axial --interval-mm 18 --subject sample
skullgan extract SampleHeadCT.nrrd -o test.h5 --planes coronal,sagittal \
  --bones parietal,frontal,occipital --interval-mm 25 --subject sample-2

# A training that somebody stopped: one checkpoint is enough to go on from.
skullgan train training.h5 -o run --recipe demo --split none --device cpu --seed 3 \
  --set latent_size=8 --set generator_width=8 --set discriminator_width=2 --set batch_size=4 \
  --set epochs=12 --set epoch_segments=16 --set snapshot_every=2 --set report_every=2 \
  --set sample_count=4 --set augmentation_target=0.6 --set on_divergence=stop \
  --set win_share=0.99 &
until grep -q '"iteration": 10,' run/events.jsonl 2>/dev/null; do sleep 0.05; done
touch run/stop
wait || true
ls run/checkpoints/*.safetensors | head -n -1 | xargs rm
rm run/samples/*.png

# The same training to its end, for the numbers in test_older_files.py.
cp -r run resumed
skullgan train -o resumed --resume --device cpu

skullgan generate run/model.safetensors -n 3 --seed 40 -o synthetic.h5 --device cpu \
  --precision fp32
skullgan evaluate --train training.h5 --test test.h5 --synthetic synthetic.h5 \
  --model run/model.safetensors -o report --device cpu
# The page and its pictures are 5 MB, and nothing reads them.
rm -r report/figures report/report.html

skullgan map SampleHeadCT.nrrd -o map.vtp -o map.json --spacing-mm 6

"$python" "$checkout/SkullGAN/Scripts/generate_to_scene.py" -n 2 --seed 40 \
  --model run/model.safetensors -o synthetic.mrb
"$python" "$checkout/SkullGANEvaluate/Scripts/evaluate_to_scene.py" --from-report report \
  -o evaluation.mrb --shown 2 --pairs 2
# The script that maps into a scene knows no coarse maps.
"$python" - <<'PYTHON'
import SimpleITK as sitk
from SkullGANLib import mapfiles, transducer
from SkullGANLib.volume import read_ct
from SkullGANScene import bundle, headless, maps, volumes
from SkullGANLib.maps import vertex_numbers

fine = sitk.ReadImage("SampleHeadCT.nrrd")
coarse = sitk.Cast(sitk.BinShrink(fine, [4, 4, 4]), sitk.sitkInt16)
sitk.WriteImage(coarse, "coarse.nrrd", True)
ct = read_ct("coarse.nrrd")
found = mapfiles.make(ct, spacing_mm=6)
scene = headless.application_scene()
node = volumes.add_ct(scene, ct, "coarse")
surface = maps.add_surface(node, found.calvaria, "sdr_peaks")
numbers = vertex_numbers(found.calvaria, found.mask, ct.ijk_to_ras)
maps.add_overlay(node, surface, numbers, "sdr_peaks")
maps.add_summary(node, mapfiles.summary(found))
maps.add_rays(node, transducer.columns(found.array))
bundle.save(scene, "map.mrb")
PYTHON
rm coarse.nrrd SampleHeadCT.nrrd synthetic.csv
