import { guardFetch } from "daypass/fetch";
import { urlVerifier } from "daypass/url";
import { links } from "./sign.js";

/**
 * A Worker that hands out links at `/links` and serves what its own links grant. Put your own authentication in front of
 * `/links`: every caller of it can sign.
 * @type {{ fetch(request: Request, env: { ACCESS_KEY_ID: string, SECRET_ACCESS_KEY: string, DAYPASS_KEY: string }): Promise<Response> }}
 */
const worker = {
  async fetch(request, env) {
    if (new URL(request.url).pathname === "/links") {
      const { ACCESS_KEY_ID: accessKeyId, SECRET_ACCESS_KEY: secretAccessKey, DAYPASS_KEY: daypassKey } = env;
      return Response.json(links({ accessKeyId, secretAccessKey, daypassKey }));
    }
    const verifier = urlVerifier({
      keys: [{ kty: "oct", alg: "HS256", kid: "k1", k: env.DAYPASS_KEY }],
      origins: ["https://api.example.com"],
    });
    return guardFetch(verifier, (grant) => Response.json({ until: grant.expiresAt }))(request);
  },
};

// biome-ignore lint/style/noDefaultExport: a Worker is its module's default export
export default worker;
