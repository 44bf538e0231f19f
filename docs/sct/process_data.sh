#!/bin/bash
#
# From raw T2w images of the neck to spinal levels, and cord area per spinal level.
#
# Usage:
#   sct_run_batch -script process_data.sh -path-data DATASET -path-output OUTPUT -jobs 2
#   sct_run_batch ... -script-args bundled          # another model for the rootlets, see below
#
# DATASET follows BIDS: sub-XX[/ses-YY]/anat/sub-XX[_ses-YY]_T2w.nii.gz.
#
# Manual corrections in DATASET/derivatives/labels/sub-XX[/ses-YY]/anat/ replace what would be
# made here:
#   *_T2w_label-SC_seg.nii.gz           cord mask
#   *_T2w_label-discs_dlabel.nii.gz     disc labels (3 is C2/C3)
#   *_T2w_label-pmj.nii.gz              pontomedullary junction, for distances from it
#   *_T2w_label-rootlets_dseg.nii.gz    rootlets by spinal level (C2 = 2 ... T1 = 9)
# Other names that are in use are found as well: CORD_NAMES and so on, below.
#
# Run the same command again to go on: a step that ended well is skipped, unless its inputs or its
# command line have changed since, such as by a new manual correction. Then what follows from it
# is made again, too.
#
# SCT is optional here: what it has installed is used, and the log says what was used instead.

# sct_run_batch calls this once for each subject or session, as its first argument, and exports:
#   PATH_DATA            DATASET
#   PATH_DATA_PROCESSED  OUTPUT/data_processed
#   PATH_RESULTS         OUTPUT/results
#   PATH_LOG             OUTPUT/log
#   PATH_QC              OUTPUT/qc

set -e -o pipefail
trap 'echo "Interrupted: the next run goes on from here."; exit 130' INT TERM

SUBJECT=$1
# Model for the rootlets: any name or path that 'sct_rootlets run -model' takes. By default the
# official one if it is installed ('sct_rootlets models install rootlets'), else the bundled one.
MODEL=${2:-auto}

# What stands between the name of the image and .nii.gz, as 'sct_rootlets run' looks for it
CORD_NAMES="_label-SC_seg _label-SC_mask _seg-manual _seg"
DISCS_NAMES="_label-discs_dlabel _label-disc-manual _labels-disc-manual _label-disc"
PMJ_NAMES="_label-pmj _label-PMJ_dlabel _label-pmj_dlabel _pmj-manual _pmj"
ROOTLETS_NAMES="_label-rootlets_dseg _rootlets-manual"

START=$(date +%s)
# Jobs run side by side; each takes as many threads as it would take for ITK (-itk-threads).
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-${ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS:-1}}
# Below SCT is called step by step, so that sct_rootlets need not call it.
export SCT_ROOTLETS_SCT=0

# FUNCTIONS
# ======================================================================================

fail() {
  echo "ERROR: $*" >&2
  exit 1
}

# Whether SCT has a task of sct_deepseg installed. Otherwise sct_deepseg would download it, once
# in every job.
sct_has() {
  command -v sct_deepseg > /dev/null || return 1
  [[ $(sct_deepseg -task-details 2> /dev/null | awk -v task="$1" '
      { gsub(/\033\[[0-9;]*m/, "") }
      $1 == "TASK:" { name = $2 }
      $1 == "INSTALLED:" && name == task { print $2 }') == Yes ]]
}

# step NAME "INPUTS" "OUTPUTS" COMMAND...: run a command, unless it has ended well before, with
# the same words and the same bytes in its inputs. Names of files have no spaces, as in BIDS.
# shellcheck disable=SC2086 # lists of files are split into words
step() {
  local name=$1 inputs=$2 outputs=$3 state output
  shift 3
  state=$(printf '%s\n' "$*" && cksum $inputs)
  if [[ -f .steps/$name && $(cat ".steps/$name") == "$state" ]]; then
    local whole=1
    for output in $outputs; do [[ -e $output ]] || whole=0; done
    if [[ $whole == 1 ]]; then
      echo "[$name] done before"
      return
    fi
  fi
  echo "[$name] $*"
  # What an interrupted run has left may be half a file.
  rm -f ".steps/$name" $outputs
  "$@"
  for output in $outputs; do [[ -e $output ]] || fail "$1 has not written $output"; done
  printf '%s\n' "$state" > ".steps/$name"
}

# forget NAME: what somebody else is about to write is no output of this step any more.
forget() {
  rm -f ".steps/$1"
}

# take SOURCE TARGET: copy a file, whole or not at all, and only if it differs.
take() {
  cmp -s "$1" "$2" && return
  cp -L "$1" "$2.part" && mv -f "$2.part" "$2"
}

# take_manual "NAMES" TARGET: take the first of these manual corrections that there is.
take_manual() {
  local name manual
  for name in $1; do
    manual="$PATH_DATA/derivatives/labels/$SUBJECT/anat/$file$name.nii.gz"
    # A link without content (git-annex, DataLad) is somebody's work, and not to be passed over.
    if [[ -L $manual && ! -e $manual ]]; then fail "$manual: its content was not fetched"; fi
    if [[ -e $manual ]]; then
      echo "Manual correction found: $manual"
      take "$manual" "$2" || fail "cannot copy $manual"
      return 0
    fi
  done
  return 1
}

# The cord mask is ${file}_seg.nii.gz, whoever makes it.
segment_if_does_not_exist() {
  local seg=${file}_seg.nii.gz
  if take_manual "$CORD_NAMES" "$seg"; then
    forget cord
    rm -f "${file}_seg.json"
    if command -v sct_qc > /dev/null; then
      step qc_cord "$file.nii.gz $seg" "" sct_qc -i "$file.nii.gz" -s "$seg" \
        -p sct_deepseg_sc -qc "$PATH_QC" -qc-subject "$SUBJECT"
    fi
  elif sct_has spinalcord; then
    step cord "$file.nii.gz" "$seg" sct_deepseg spinalcord -i "$file.nii.gz" -o "$seg" \
      -qc "$PATH_QC" -qc-subject "$SUBJECT"
  else
    echo "SCT has not installed 'spinalcord': the cord is that of the bundled network." \
      "(To change this: sct_deepseg spinalcord -install)"
    # It finds rootlets at the same time; whether those are used is decided below.
    step cord "$file.nii.gz" "$seg" \
      sct_rootlets segment -i "$file.nii.gz" -model bundled -o "${file}_bundled.nii.gz"
  fi
}

# The disc labels are ${file}_discs.nii.gz. The official models name the levels without them.
label_landmarks_if_does_not_exist() {
  local discs=${file}_discs.nii.gz
  if take_manual "$DISCS_NAMES" "$discs"; then
    LANDMARKS=(-discs "$discs")
  elif sct_has spine; then
    # sct_deepseg adds what it is to the name
    step discs "$file.nii.gz" "${file}_totalspineseg_discs.nii.gz" \
      sct_deepseg spine -i "$file.nii.gz" -o "$file.nii.gz" -qc "$PATH_QC" -qc-subject "$SUBJECT"
    take "${file}_totalspineseg_discs.nii.gz" "$discs"
    LANDMARKS=(-discs "$discs")
  else
    echo "No disc labels: none under derivatives/labels, and SCT has not installed 'spine'."
    LANDMARKS=()
  fi
  if take_manual "$PMJ_NAMES" "${file}_pmj.nii.gz"; then
    LANDMARKS+=(-pmj "${file}_pmj.nii.gz")
  fi
}

# Rootlets and levels: ${file}_rootlets.nii.gz and ${file}_spinal_levels.*.
find_levels() {
  local rootlets=${file}_rootlets.nii.gz seg=${file}_seg.nii.gz levels=${file}_spinal_levels
  local made="$levels.nii.gz $levels.tsv $levels.json"
  # Every second word of LANDMARKS is a file
  local inputs="$seg ${LANDMARKS[1]} ${LANDMARKS[3]}"
  if take_manual "$ROOTLETS_NAMES" "${file}_label-rootlets_dseg.nii.gz"; then
    forget levels
    rm -f "${file}_rootlets.json"
    take "${file}_label-rootlets_dseg.nii.gz" "$rootlets"
    step manual_levels "$inputs $rootlets" "$made" sct_rootlets levels -i "$rootlets" -s "$seg" \
      "${LANDMARKS[@]}" -o "$levels.nii.gz" -qc "$PATH_QC"
  else
    forget manual_levels
    # 'sct_deepseg rootlets_levels' does the same, where 'sct_rootlets sct enable' was typed
    step levels "$inputs $file.nii.gz" "$made $rootlets" sct_rootlets run -i "$file.nii.gz" \
      -s "$seg" "${LANDMARKS[@]}" -model "$MODEL" -ofolder . -qc "$PATH_QC"
  fi
}

# SCRIPT STARTS HERE
# ======================================================================================

[[ -n $SUBJECT && -n $PATH_DATA && -n $PATH_DATA_PROCESSED && -n $PATH_RESULTS ]] ||
  fail "run this with sct_run_batch, or set SUBJECT and PATH_DATA and the other variables"
command -v sct_rootlets > /dev/null || fail "sct_rootlets is not on the PATH"
if [[ $MODEL == auto ]]; then
  if sct_rootlets models path rootlets > /dev/null 2>&1; then MODEL=rootlets; else MODEL=bundled; fi
  echo "Model for the rootlets: $MODEL"
fi

# sub-01/ses-01 becomes sub-01_ses-01
file=${SUBJECT//\//_}_T2w
# Files that a look at the QC report has excluded (sct_run_batch -exclude-yml)
if [[ " $EXCLUDE_FILES " == *" $file.nii.gz "* ]]; then
  echo "$file.nii.gz is excluded."
  exit 0
fi

mkdir -p "$PATH_DATA_PROCESSED/$SUBJECT/anat/.steps" "$PATH_RESULTS"
cd "$PATH_DATA_PROCESSED/$SUBJECT/anat"
[[ -e $PATH_DATA/$SUBJECT/anat/$file.nii.gz ]] || fail "there is no $file.nii.gz"
for extension in nii.gz json; do
  source_file="$PATH_DATA/$SUBJECT/anat/$file.$extension"
  if [[ -e $source_file ]]; then take "$source_file" "$file.$extension"; fi
done

# In results are only subjects whose last run has ended well.
rm -f "$PATH_RESULTS/$file"_*

segment_if_does_not_exist
label_landmarks_if_does_not_exist
find_levels

# Cord area per spinal level, on planes perpendicular to the cord, with the names of the levels.
# One table a subject, so that jobs do not wait for each other, and a second run adds nothing
# twice. All of them in one:
#   awk 'FNR > 1 || NR == 1' results/*_perlevel.tsv > perlevel.tsv
step perlevel "${file}_seg.nii.gz ${file}_spinal_levels.tsv" "${file}_perlevel.tsv" \
  sct_rootlets perlevel -i "${file}_seg.nii.gz" -levels "${file}_spinal_levels.tsv" \
  -o "${file}_perlevel.tsv"
take "${file}_perlevel.tsv" "$PATH_RESULTS/${file}_perlevel.tsv"
take "${file}_spinal_levels.tsv" "$PATH_RESULTS/${file}_spinal_levels.tsv"

# The same by SCT, for what follows on its tables. Its column VertLevel holds spinal levels here.
if command -v sct_process_segmentation > /dev/null; then
  # Values of the levels that are in the image; SCT warns of every other one
  found=$(awk -F '\t' 'NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; next }
    $column["status"] != "unseen" { printf "%s%s", comma, $column["spinal_level"]; comma = "," }' \
    "${file}_spinal_levels.tsv")
  step sct_perlevel "${file}_seg.nii.gz ${file}_spinal_levels.nii.gz" "${file}_csa.csv" \
    sct_process_segmentation -i "${file}_seg.nii.gz" -vertfile "${file}_spinal_levels.nii.gz" \
    -vert "$found" -perlevel 1 -o "${file}_csa.csv"
  take "${file}_csa.csv" "$PATH_RESULTS/${file}_csa.csv"
else
  echo "No SCT on the PATH: no table of sct_process_segmentation."
fi

# Verify presence of output files and write log file if error
# ======================================================================================
FILES_TO_CHECK=(
  "${file}_seg.nii.gz"
  "${file}_rootlets.nii.gz"
  "${file}_spinal_levels.nii.gz"
  "${file}_spinal_levels.tsv"
  "${file}_perlevel.tsv"
)
for output in "${FILES_TO_CHECK[@]}"; do
  if [[ ! -e $output ]]; then
    echo "$PWD/$output does not exist" >> "${PATH_LOG:-$PATH_RESULTS}/_error_check_output_files.log"
  fi
done

# Display useful info for the log
echo
echo "~~~"
if command -v sct_version > /dev/null; then echo "SCT version:  $(sct_version)"; fi
echo "sct_rootlets: $(sct_rootlets -version)"
echo "Ran on:       $(uname -nsr)"
echo "Duration:     $(($(date +%s) - START)) s"
echo "~~~"
