import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { publishedKeySet, type UrlEd25519PrivateKey, urlSigner } from "daypass/url";
import { expect, onTestFinished, test } from "vitest";
import { freePort } from "../../../tools/free-port.ts";
import { exampleFiles, serve } from "./serving.ts";

// RFC 8032, section 7.1, test 1.
const KEY: UrlEd25519PrivateKey = {
  ...{ kty: "OKP", crv: "Ed25519", alg: "Ed25519", kid: "app-1", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" },
  d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
};

test.each(["0", "2"])(
  "forwards signed requests to the routes of its configuration, and reloads them (%s workers)",
  async (workers) => {
    const upstream = createServer((request, response) => response.end(`app ${request.url}`)).listen(0, "127.0.0.1");
    await once(upstream, "listening");
    onTestFinished(() => void upstream.close());
    const root = exampleFiles();
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    const file = join(root, "..", "daypass.json");
    writeFileSync(join(root, "..", "keys.json"), JSON.stringify(publishedKeySet([KEY])));
    const configure = (prefix: string): void => {
      const routes = [{ origin, prefix, upstream: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}` }];
      writeFileSync(file, JSON.stringify({ root, listen: { port }, urlKeySetFile: "keys.json", routes }));
    };
    configure("/one/");
    const gateway = await serve("--config", file, "--workers", workers);
    const signer = urlSigner({ key: KEY });
    const ask = async (path: string): Promise<string> => {
      const { url } = await signer.sign({ url: `${origin}${path}`, expiresIn: 60 });
      return (await fetch(url, { headers: { connection: "close" } })).text();
    };
    expect(await ask("/one/a?x=1")).toBe("app /one/a?x=1");
    expect(await ask("/two/a")).toContain("NO_SUCH_BUCKET");
    configure("/two/");
    gateway.child.kill("SIGHUP");
    await expect.poll(() => gateway.log().split("were reloaded").length - 1).toBe(Math.max(1, Number(workers)));
    expect(await ask("/two/a")).toBe("app /two/a");
    expect(await ask("/one/a")).toContain("NO_SUCH_BUCKET");
    configure("no path");
    gateway.child.kill("SIGHUP");
    await expect.poll(() => gateway.log()).toContain("reload failed");
    expect(await ask("/two/a")).toBe("app /two/a");
  },
);
