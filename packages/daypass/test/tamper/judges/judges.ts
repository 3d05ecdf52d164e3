import type { Grant, WireRequest } from "../../../src/core/contracts.ts";
import type { AzureGrant } from "../../../src/schemes/azure/index.ts";
import type { CloudfrontGrant } from "../../../src/schemes/cloudfront/index.ts";
import type { S3Grant } from "../../../src/schemes/s3/index.ts";
import type { SwiftGrant } from "../../../src/schemes/swift/index.ts";
import type { UrlGrant } from "../../../src/schemes/url/index.ts";
import { azureUses, isForMany, isTime, judgeAzure } from "./azure.ts";
import { judgeCloudfront } from "./cloudfront.ts";
import { edgeJudges, strict } from "./edge.ts";
import { judgeGcs, judgeGcsV2 } from "./gcs.ts";
import { type Judge, type Judging, judgeS3, judgeS3V2, judgeUrl } from "./judge.ts";
import { judgeCos, judgeOss, judgeOssV1 } from "./oss-cos.ts";
import { judgeS3Header, judgeS3V2Header } from "./s3-header.ts";
import { judgeSwift } from "./swift.ts";

const lines = (pairs: S3Grant["parameters"]): readonly string[] => pairs.map((pair) => JSON.stringify(pair)).sort();

/** The raw target differs in another spelling, and stores bind no order of parameters. */
function storeFacts(grant: Grant): unknown {
  const { target: _, limitBody: __, parameters, ...rest } = grant as S3Grant;
  return { ...rest, id: grant.id, parameters: lines(parameters) };
}

/** OSS and COS bind no order of headers either. */
function unorderedFacts(grant: Grant): unknown {
  const { target: _, limitBody: __, parameters, signedHeaders, obligations, ...rest } = grant as S3Grant;
  const headers = [...signedHeaders].sort();
  return { ...rest, parameters: lines(parameters), signedHeaders: headers, obligations: obligations.length };
}

/** The holder chooses the parameters that SigV2 does not sign. */
function headerFacts(grant: Grant): unknown {
  const { bucket, key, methods, id, expiresAt, obligations, signedHeaders } = grant as S3Grant;
  return { bucket, key, methods, id, expiresAt, obligations, signedHeaders };
}

/** The holder chooses the blob of a container, and its snapshot. */
function azureFacts(grant: Grant): unknown {
  const { target, limitBody: _, parameters, blob, container, ...rest } = grant as AzureGrant;
  const isAccount = rest.kind === "account";
  const isOpen = isAccount || isForMany(target);
  return {
    ...{ ...rest, id: grant.id, container: isAccount ? "" : container, blob: isOpen ? "" : blob },
    parameters: lines(parameters.filter(([name]) => !isOpen || !isTime(name))),
  };
}

/** The policy of this example permits reads and writes. The holder chooses the operation. */
const azureByPolicy: Judging = {
  judge: (request) => judgeAzure({ ...request, method: request.method.replace("PUT", "GET") }),
  facts: (grant) => {
    const { operation: _, methods: __, obligations: ___, ...facts } = grant as AzureGrant;
    return azureFacts({ ...facts, id: grant.id } as AzureGrant);
  },
  sent: azureUses,
};

/** The holder chooses the name below a prefix. */
function swiftFacts(grant: Grant): unknown {
  const { target: _, limitBody: __, object, ...rest } = grant as SwiftGrant;
  return rest.prefix === undefined ? { ...rest, object } : rest;
}

/** Wildcards leave the URL open. A canned policy is for one URL. */
function cloudfrontFacts(grant: Grant): unknown {
  const { limitBody: _, target, url, ...rest } = grant as CloudfrontGrant;
  return rest.policy === "canned" ? { ...rest, target, url } : rest;
}

/** The holder chooses the path below a prefix. */
function urlFacts(grant: Grant): unknown {
  const { limitBody: _, target, path, ...facts } = grant as UrlGrant;
  return facts.prefix === undefined ? { ...facts, target, path } : facts;
}

const judges: Readonly<Record<string, Judging>> = {
  ...edgeJudges,
  s3: { judge: judgeS3, facts: storeFacts },
  "s3/v4a": { judge: judgeS3, facts: storeFacts },
  "s3/express": { judge: judgeS3, facts: storeFacts },
  "s3/v2": { judge: judgeS3V2, facts: storeFacts },
  "s3/header": { judge: judgeS3Header, facts: headerFacts },
  "s3/v2/header": { judge: judgeS3V2Header, facts: headerFacts },
  gcs: { judge: judgeGcs, facts: storeFacts },
  "gcs/v2": { judge: judgeGcsV2, facts: storeFacts },
  azure: { judge: judgeAzure, facts: azureFacts, sent: azureUses },
  "azure, permissions of a stored policy": azureByPolicy,
  oss: { judge: judgeOss, facts: unorderedFacts },
  "oss/v1": { judge: judgeOssV1, facts: unorderedFacts },
  cos: { judge: judgeCos, facts: unorderedFacts },
  cloudfront: { judge: judgeCloudfront, facts: cloudfrontFacts },
  url: { judge: judgeUrl, facts: urlFacts },
};

/** The judge of an example, of its scheme, or the strictest. Swift's judge must know the valid requests. */
export function judgeOf(name: string, id: string): (bases: readonly WireRequest[]) => Judging {
  if (id === "swift") return (bases) => ({ judge: judgeSwift(bases) satisfies Judge, facts: swiftFacts });
  return () => judges[name] ?? judges[id] ?? strict;
}
