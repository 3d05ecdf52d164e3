/** The page's actions. Bundled for the browser by `clients/uppy.ts`, which calls it through `window`. */
import AwsS3, { type AwsS3Options } from "@uppy/aws-s3";
import Uppy, { type Body, type Meta } from "@uppy/core";

export interface UppyWish {
  /** `session`: Uppy signs by itself, with temporary credentials. `server`: it requests each URL. */
  readonly signs: "session" | "server";
  /** The bucket's URL, path style. */
  readonly s3Endpoint: string;
  readonly region: string;
  /** Where the page's own server gives credentials and URLs. */
  readonly signer: string;
  readonly key: string;
  /** `undefined`: in one piece. */
  readonly partSize: number | undefined;
  /** Cancels the upload when that many parts have arrived. */
  readonly cancelAfter?: number;
  /** Pauses and resumes it then: Uppy asks for the list of parts and continues after them. */
  readonly pauseAfter?: number;
}

export interface UppyOutcome {
  readonly uploaded: readonly string[];
  readonly parts: number;
  readonly errors: readonly string[];
}

async function asked<T>(url: string, request: unknown): Promise<T> {
  const reply = await fetch(url, { method: "POST", body: JSON.stringify(request) });
  if (!reply.ok) throw new Error(`${reply.status} ${await reply.text()}`);
  return reply.json() as Promise<T>;
}

async function upload(wish: UppyWish): Promise<UppyOutcome> {
  const file = document.querySelector("input")?.files?.[0];
  if (file === undefined) throw new Error("expected a file in the page's input, found none");
  const { partSize } = wish;
  const common = {
    shouldUseMultipart: partSize !== undefined,
    getChunkSize: () => partSize ?? file.size,
    generateObjectKey: () => wish.key,
  };
  const options: AwsS3Options<Meta, Body> =
    wish.signs === "session"
      ? {
          ...common,
          s3Endpoint: wish.s3Endpoint,
          region: wish.region,
          getCredentials: () => asked(`${wish.signer}/credentials`, {}),
        }
      : { ...common, signRequest: (request) => asked(`${wish.signer}/sign`, request) };
  const uppy = new Uppy({ autoProceed: false }).use(AwsS3, options);
  const errors: string[] = [];
  let parts = 0;
  uppy.on("upload-error", (_, error) => errors.push(error.message));
  uppy.on("s3-multipart:part-uploaded", () => {
    parts += 1;
    if (parts === wish.cancelAfter) uppy.cancelAll();
    if (parts === wish.pauseAfter) {
      uppy.pauseAll();
      setTimeout(() => uppy.resumeAll());
    }
  });
  uppy.addFile({ name: file.name, type: file.type, data: file });
  const result = await uppy.upload();
  return { uploaded: result?.successful?.map(({ uploadURL }) => String(uploadURL)) ?? [], parts, errors };
}

/** Reads a URL as any page would. */
async function download(url: string): Promise<{ readonly bytes: number; readonly sha256: string }> {
  const reply = await fetch(url);
  if (!reply.ok) throw new Error(`${reply.status} ${await reply.text()}`);
  const bytes = await reply.arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return { bytes: bytes.byteLength, sha256: [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("") };
}

const page = { upload, download };
export type UppyPage = typeof page;
Object.assign(window, { daypass: page });
