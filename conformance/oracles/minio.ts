import { Client } from "minio";
import { canonicalQuery } from "../sigv4.ts";
import { type Draft, type Oracle, protoLost, queryObject } from "./oracle.ts";

export const minioOracle: Oracle = {
  name: "minio",
  version: "8.0.7",
  // presignedUrl takes no headers.
  narrow: (wish) => ({ ...wish, headers: {} }),
  async sign(wish) {
    const { protocol, hostname, port } = new URL(wish.endpoint);
    const { accessKeyId, secretAccessKey, sessionToken } = wish.credentials;
    const client = new Client({
      endPoint: hostname,
      useSSL: protocol === "https:",
      ...(port === "" ? {} : { port: Number(port) }),
      region: wish.region,
      pathStyle: wish.addressing === "path",
      accessKey: accessKeyId,
      secretKey: secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
    });
    const query = queryObject(wish.query);
    return client.presignedUrl(
      wish.method,
      wish.bucket,
      wish.key ?? "",
      wish.expiresIn,
      query as Record<string, string>,
      wish.signedAt,
    );
  },
  deviations: [
    protoLost,
    {
      name: "a parameter whose name begins another's (`x`, `x-id`): sorted with its `=`, so in the wrong order",
      applies: (_, draft) => sortedAsTokens(draft) !== canonicalQuery(draft.signed.query),
      instead: (draft) => ({ ...draft, signed: { ...draft.signed, canonicalQuery: sortedAsTokens(draft) } }),
    },
  ],
};

function sortedAsTokens({ tokens }: Draft): string {
  return [...tokens].sort().join("&");
}
