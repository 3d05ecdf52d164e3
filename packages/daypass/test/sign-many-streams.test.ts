import { EventEmitter, on } from "node:events";
import { Readable } from "node:stream";
import { s3Signer } from "daypass/s3";
import { describe, expect, it } from "vitest";
import { signMany } from "../src/index.ts";
import { clock } from "./edge-fixture.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };
const s3 = s3Signer({ region: "eu-west-1", credentials, clock });

describe("signMany of streams and events of Node", () => {
  it("signs a stream of objects", async () => {
    const requests = ["a", "", "b"].map((key) => ({ bucket: "media", key, expiresIn: 60 }));
    const items: unknown[] = [];
    for await (const item of signMany(s3, Readable.from(requests))) items.push("url" in item ? item.url : item.error);
    expect(items).toEqual([s3.sign(requests[0] as never).url, expect.any(Error), s3.sign(requests[2] as never).url]);
  });

  it("removes its event listeners when the iteration ends early", async () => {
    const emitter = new EventEmitter();
    const requests = on(emitter, "request");
    emitter.emit("request", 0);
    for await (const _ of signMany(s3, requests as AsyncIterable<never>)) break;
    expect(emitter.listenerCount("request")).toBe(0);
  });
});
