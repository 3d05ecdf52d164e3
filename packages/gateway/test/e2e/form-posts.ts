import { type S3FormRequest, type SignedForm, s3FormSigner } from "daypass/s3/form";
import type { TestGateway, TestGatewayOptions } from "../../src/testing/index.ts";
import { s3Code, sendS3 } from "./clients.ts";

export interface Posted {
  readonly file?: string | Blob | undefined;
  readonly name?: string;
  readonly change?: (fields: Record<string, string>) => Record<string, string>;
  readonly after?: Readonly<Record<string, string>>;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface PostReply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly code: string | undefined;
}

export interface FormCalls {
  signForm(request?: Partial<S3FormRequest>, clock?: () => Date): SignedForm;
  /** Posts as a browser does: the engine of `fetch` writes the form. */
  post(form: SignedForm, posted?: Posted): Promise<PostReply>;
  /** The stored bytes of a key, or the status if there are none. */
  stored(key: string): Promise<string | number>;
}

/** A gateway with two buckets, and one origin to which a form may send the browser on. */
export const FORM_GATEWAY: TestGatewayOptions = {
  files: { "media/hello.txt": "hello", "other/x.txt": "x" },
  gateway: () => ({ redirectOrigins: ["https://app.example.com"] }),
};

/** Upload forms for the gateway that a suite starts before its tests. */
export function formCalls(gateway: () => TestGateway): FormCalls {
  return {
    signForm: (request = {}, clock = () => new Date()) =>
      s3FormSigner({ region: "us-east-1", endpoint: gateway().url, credentials: gateway().accessKey, clock }).sign({
        bucket: "media",
        // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the placeholder of S3
        key: "up/${filename}",
        expiresIn: 60,
        ...request,
      } as S3FormRequest),
    async post(form, posted = {}) {
      const { file = "content", name = "a.txt", after = {}, url = form.url, headers = {} } = posted;
      const fields = posted.change?.({ ...form.fields }) ?? form.fields;
      const data = new FormData();
      for (const [field, value] of Object.entries(fields)) data.append(field, value);
      data.append("file", typeof file === "string" ? new Blob([file], { type: "text/plain" }) : file, name);
      for (const [field, value] of Object.entries(after)) data.append(field, value);
      const reply = await fetch(url, { method: "POST", body: data, redirect: "manual", headers });
      const text = await reply.text();
      return { status: reply.status, headers: reply.headers, text, code: s3Code(text) };
    },
    async stored(key) {
      const reply = await sendS3(gateway(), { key });
      return reply.status === 200 ? reply.text : reply.status;
    },
  };
}
