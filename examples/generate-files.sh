#!/usr/bin/env bash
# Makes examples/files, the folder that `npm start` serves. The results are committed, so a clone needs none of these
# tools: run this again only to change the files. Needs ImageMagick 7, ffmpeg and Node.
# Each folder is a bucket. Clocks and tool versions are kept out of the files where the tools allow it.
set -euo pipefail
cd "$(dirname "$0")"
rm -rf files
mkdir -p files/welcome files/media/talks files/reports/2026

cat > files/welcome/hello.txt <<'TEXT'
Hello. You are reading this because a signature said that you may.

The URL that brought you here names one file, one method and one moment at which it ends.
Change any character of it and the gateway refuses. Wait long enough and it refuses as well.
TEXT

cat > "files/welcome/notes & ideas (día 1).md" <<'TEXT'
# Day one

The name of this file has a space, an ampersand, brackets and an accent in it.
A signer that takes a key as data, rather than as a piece of a URL, has no trouble with that.
TEXT

cat > files/reports/2026/visits.csv <<'TEXT'
day,links,downloads,refused
2026-11-02,14,61,3
2026-11-03,9,48,0
2026-11-04,22,130,7
2026-11-05,17,95,1
TEXT

magick -size 640x400 gradient:'#0f3d5c-#f2b66d' \
  -fill '#fff4dc' -draw 'circle 320,250 320,190' \
  -fill '#12303f' -draw 'polygon 0,400 0,300 140,220 260,310 400,230 520,300 640,260 640,400' \
  -strip -define png:exclude-chunks=date,time -colors 64 files/welcome/photo.png

ffmpeg -loglevel error -y -f lavfi -i 'testsrc2=size=320x180:rate=24:duration=2' -f lavfi -i 'sine=frequency=440:duration=2' \
  -c:v libx264 -preset veryslow -crf 34 -pix_fmt yuv420p -c:a aac -b:a 32k -movflags +faststart -map_metadata -1 \
  -fflags +bitexact -flags:v +bitexact -flags:a +bitexact files/media/talks/clip.mp4

# A PDF is text with a table of byte offsets at its end, so a few lines write one that any viewer opens.
node --input-type=module - <<'JS'
import { writeFileSync } from "node:fs";
const lines = ["A guide in one page", "", "1. Sign: choose a file, a method and an end.", "2. Hand the URL to whoever needs it.",
  "3. The gateway checks the signature, then the clock, then serves.", "4. When the time is over, the same URL opens nothing."];
const text = lines.map((line, i) => `/F1 ${i ? 13 : 24} Tf (${line}) Tj 0 -26 Td`).join("\n");
const content = `BT 72 740 Td\n${text}\nET`;
const objects = ["<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
  "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
  `<< /Length ${content.length} >>\nstream\n${content}\nendstream`, "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"];
let pdf = "%PDF-1.4\n";
const offsets = objects.map((object, i) => { const at = pdf.length; pdf += `${i + 1} 0 obj\n${object}\nendobj\n`; return at; });
const xref = offsets.map((at) => `${String(at).padStart(10, "0")} 00000 n \n`).join("");
pdf += `xref\n0 6\n0000000000 65535 f \n${xref}trailer\n<< /Size 6 /Root 1 0 R >>\nstartxref\n${pdf.length}\n%%EOF\n`;
writeFileSync("files/welcome/guide.pdf", pdf);
JS

printf 'A loose file: it belongs to the bucket named "files".\n' > files/readme.txt
find files -type f -printf '%s\t%p\n'
