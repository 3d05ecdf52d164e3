import { join } from "node:path";
import { CreateBucketCommand, DeleteBucketCommand, DeleteObjectsCommand, S3Client } from "@aws-sdk/client-s3";
import { allowOrigin, type UppyBrowser, uppyBrowser } from "../clients/uppy.ts";
import { type ClientRound, cannot, type Outcome, type Place } from "./round.ts";

const PART = 16 * 1024 * 1024;

const sdk = ({ endpoint, region, credentials }: Place): S3Client =>
  new S3Client({ endpoint, region, forcePathStyle: true, credentials: { ...credentials } });

/** A step in another page, whose origin the bucket's rules allow. */
function inPage(step: (uppy: UppyBrowser, place: Place) => Promise<void>): (place: Place) => Promise<Outcome> {
  return async (place) => {
    const uppy = await uppyBrowser(place, place.bucket);
    try {
      await allowOrigin(place, place.bucket, uppy.origin);
      await step(uppy, place);
      return "✓";
    } finally {
      await uppy.close();
    }
  };
}

function uploads(
  file: string,
  wish: { readonly signs: "session" | "server"; readonly key: string; readonly partSize?: number },
): (place: Place) => Promise<Outcome> {
  return inPage(async (uppy, place) => {
    const { uploaded, errors } = await uppy.upload(join(place.folder, file), { partSize: undefined, ...wish });
    if (uploaded.length !== 1) throw new Error(`expected one upload, found ${errors}`);
  });
}

/** Uppy uploads; the bucket is made and removed for it. */
function uppyRound(name: string, signs: "session" | "server"): ClientRound {
  const none = cannot("it only uploads");
  return {
    name,
    signature: "SigV4 query",
    needs: ["chromium"],
    steps: {
      async create(place) {
        await sdk(place).send(new CreateBucketCommand({ Bucket: place.bucket }));
        return none();
      },
      put: uploads("small.txt", { signs, key: "dir/small.txt" }),
      "put 100 MB": uploads("big.bin", { signs, key: "big.bin" }),
      multipart: uploads("big.bin", { signs, key: "parts.bin", partSize: PART }),
      list: none,
      presign: none,
      fetch: inPage(async (uppy, place) => {
        for (const key of ["big.bin", "parts.bin"]) {
          const { sha256 } = await uppy.download(key);
          if (sha256 !== place.bigSha256) throw new Error(`expected the bytes of big.bin in ${key}, found others`);
        }
      }),
      async delete(place) {
        const Objects = ["big.bin", "dir/small.txt", "parts.bin"].map((Key) => ({ Key }));
        await sdk(place).send(new DeleteObjectsCommand({ Bucket: place.bucket, Delete: { Objects } }));
        // Refused where anything else was left there.
        await sdk(place).send(new DeleteBucketCommand({ Bucket: place.bucket }));
        return none();
      },
    },
  };
}

/** Uppy in Chromium: by its own signer with a session of STS, and by URLs of `daypass/s3`. */
export const uppyRounds: readonly ClientRound[] = [
  uppyRound("Uppy 6.3.1 in Chromium, its own signer", "session"),
  uppyRound("Uppy 6.3.1 in Chromium, URLs of daypass/s3", "server"),
];
