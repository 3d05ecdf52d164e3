import { fileURLToPath } from "node:url";
import { type ClientRound, cannot, line, presigned, shell } from "./round.ts";

const has =
  (...texts: readonly string[]) =>
  (stdout: string): boolean =>
    texts.every((text) => stdout.includes(text));

/** `aws s3`, by whichever of the two versions. */
function awsCli(name: string, program: string, signature: string, needs: readonly string[]): ClientRound {
  const aws = `${program} --endpoint-url $ENDPOINT s3`;
  return {
    name,
    signature,
    needs,
    steps: {
      create: line(`${aws} mb s3://$BUCKET`),
      put: line(`${aws} cp small.txt s3://$BUCKET/dir/small.txt --no-progress`),
      "put 100 MB": line(`${aws} cp big.bin s3://$BUCKET/big.bin --no-progress`),
      multipart: cannot("by itself from 8 MB on: the step before"),
      list: line(`${aws} ls s3://$BUCKET --recursive`, has("dir/small.txt", "100000000")),
      presign: presigned(async (place) => (await shell(place, `${aws} presign s3://$BUCKET/dir/small.txt`)).trim()),
      fetch: line(`${aws} cp s3://$BUCKET/big.bin out.bin --no-progress && cmp big.bin out.bin`),
      delete: line(`${aws} rm s3://$BUCKET --recursive && ${aws} rb s3://$BUCKET`),
    },
  };
}

const s3cmd = (options = "") =>
  `s3cmd ${options} --no-ssl --host=$HOST --host-bucket=$HOST --region=$AWS_REGION --access_key=$AWS_ACCESS_KEY_ID --secret_key=$AWS_SECRET_ACCESS_KEY --no-progress`;

function s3cmdRound(name: string, signature: string, options: string): ClientRound {
  const program = s3cmd(options);
  return {
    name,
    signature,
    needs: ["s3cmd"],
    steps: {
      create: line(`${program} mb s3://$BUCKET`),
      put: line(`${program} put small.txt s3://$BUCKET/dir/small.txt`),
      "put 100 MB": line(`${program} put big.bin s3://$BUCKET/big.bin --disable-multipart`),
      multipart: line(`${program} put big.bin s3://$BUCKET/parts.bin --multipart-chunk-size-mb=15`),
      list: line(`${program} ls -r s3://$BUCKET`, has("dir/small.txt", "big.bin", "parts.bin")),
      presign: presigned(async (place) => {
        const url = await shell(place, `${program} signurl s3://$BUCKET/dir/small.txt +60`);
        return url.trim().replace(/^https?:\/\/[^/]+/, place.endpoint);
      }),
      fetch: line(`${program} get --force s3://$BUCKET/parts.bin out.bin && cmp big.bin out.bin`),
      delete: line(`${program} rm -r --force s3://$BUCKET/ && ${program} rb s3://$BUCKET`),
    },
  };
}

// A proxy's certificate bundle in the environment makes rclone refuse to start; it is not passed on.
const rclone = `rclone --config "" --s3-provider Other --s3-endpoint $ENDPOINT --s3-region $AWS_REGION --s3-access-key-id $AWS_ACCESS_KEY_ID --s3-secret-access-key $AWS_SECRET_ACCESS_KEY`;
const remote = ":s3:$BUCKET";

const rcloneRound: ClientRound = {
  name: "rclone",
  signature: "SigV4",
  needs: ["rclone"],
  steps: {
    create: line(`${rclone} mkdir ${remote}`),
    put: line(`${rclone} copyto small.txt ${remote}/dir/small.txt`),
    "put 100 MB": line(`${rclone} copyto big.bin ${remote}/big.bin --s3-upload-cutoff 200M`),
    multipart: line(`${rclone} copyto big.bin ${remote}/parts.bin --s3-upload-cutoff 20M --s3-chunk-size 10M`),
    list: line(`${rclone} lsl ${remote}`, has("dir/small.txt", "100000000")),
    presign: presigned(async (place) =>
      (await shell(place, `${rclone} link --expire 60s ${remote}/dir/small.txt`)).trim(),
    ),
    fetch: line(`${rclone} copyto ${remote}/parts.bin out.bin && cmp big.bin out.bin`),
    delete: line(`${rclone} purge ${remote}`),
  },
};

const mc =
  'minio-client --config-dir mc -q alias set gw "$ENDPOINT" "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" >/dev/null; minio-client --config-dir mc -q';

const mcRound: ClientRound = {
  name: "minio-client",
  signature: "SigV4",
  needs: ["minio-client"],
  steps: {
    create: line(`${mc} mb gw/$BUCKET`),
    put: line(`${mc} cp small.txt gw/$BUCKET/dir/small.txt`),
    "put 100 MB": line(`${mc} cp --disable-multipart big.bin gw/$BUCKET/big.bin`),
    multipart: line(`${mc} cp big.bin gw/$BUCKET/parts.bin`),
    list: line(`${mc} ls -r gw/$BUCKET`, has("dir/small.txt", "big.bin", "parts.bin")),
    presign: presigned(async (place) => {
      const shared = await shell(place, `${mc} share download --expire 1m gw/$BUCKET/dir/small.txt`);
      return /Share: (\S+)/.exec(shared)?.[1] ?? shared;
    }),
    fetch: line(`${mc} cp gw/$BUCKET/parts.bin out.bin && cmp big.bin out.bin`),
    delete: line(`${mc} rb --force gw/$BUCKET`),
  },
};

const restic = "export RESTIC_PASSWORD=x; restic --no-cache -q -r s3:$ENDPOINT/$BUCKET";

const resticRound: ClientRound = {
  name: "restic",
  signature: "SigV4",
  needs: ["restic"],
  steps: {
    create: line(`${restic} init`),
    put: line(`${restic} backup small.txt`),
    "put 100 MB": line(`${restic} backup big.bin`),
    multipart: cannot("it stores packs of 16 MB"),
    list: line(`${restic} snapshots`, has("small.txt", "big.bin")),
    presign: cannot("it has no such function"),
    fetch: line(`${restic} dump latest big.bin > out.bin && cmp big.bin out.bin && ${restic} check`),
    delete: line(`${restic} forget --prune --keep-last 1 --group-by host`),
  },
};

const mounted = (work: string) =>
  `printf '%s:%s' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" > s3fs.key; chmod 600 s3fs.key; mkdir -p mnt; s3fs $BUCKET mnt -o url=$ENDPOINT -o use_path_request_style -o passwd_file=$PWD/s3fs.key -o endpoint=$AWS_REGION -o multipart_size=10; trap 'fusermount -u mnt' EXIT; ${work}`;

const s3fsRound: ClientRound = {
  name: "s3fs",
  signature: "SigV4",
  needs: ["s3fs", "s3cmd"],
  steps: {
    // It mounts an existing bucket.
    create: line(`${s3cmd()} mb s3://$BUCKET`),
    put: line(mounted("mkdir mnt/dir && cp small.txt mnt/dir/small.txt && cmp small.txt mnt/dir/small.txt")),
    "put 100 MB": line(mounted("cp big.bin mnt/big.bin")),
    multipart: cannot("by itself: the step before"),
    list: line(mounted("ls -l mnt mnt/dir"), has("small.txt", "100000000")),
    presign: cannot("it has no such function"),
    fetch: line(mounted("cmp big.bin mnt/big.bin && mv mnt/big.bin mnt/moved.bin && cmp big.bin mnt/moved.bin")),
    delete: line(mounted('rm -r mnt/dir mnt/moved.bin && test -z "$(ls mnt)"')),
  },
};

const cli1 = fileURLToPath(new URL("../clients/aws-cli-1.py", import.meta.url));

/** Clients that are programs. */
export const programRounds: readonly ClientRound[] = [
  awsCli("aws cli 1", `/usr/bin/python3 ${cli1}`, "SigV4, URLs SigV2", ["python3"]),
  awsCli("aws cli 2", "/usr/bin/aws", "SigV4", ["aws"]),
  s3cmdRound("s3cmd", "SigV4, URLs SigV2", ""),
  s3cmdRound("s3cmd --signature-v2", "SigV2", "--signature-v2"),
  rcloneRound,
  mcRound,
  resticRound,
  s3fsRound,
];
