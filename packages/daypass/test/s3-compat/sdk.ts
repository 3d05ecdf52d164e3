import { s3Verifier } from "../../src/schemes/s3/index.ts";

// The shapes of the SDK's clients and commands, written down by hand: it is no dependency, and runs in few runtimes. What it
// makes itself of 27 commands is compared byte for byte in conformance/test/aws-presigner.test.ts.
export const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
export const AT = new Date("2026-01-02T03:04:05Z");

export class Command {
  readonly schema: unknown;
  readonly input: object;
  constructor(schema: unknown, input: object) {
    this.schema = schema;
    this.input = input;
  }
  static getEndpointParameterInstructions(): object {
    return {
      Bucket: { type: "contextParams", name: "Bucket" },
      Region: { type: "builtInParams", name: "region" },
      UseFIPS: { type: "builtInParams", name: "useFipsEndpoint" },
      ForcePathStyle: { type: "clientContextParams", name: "forcePathStyle" },
      Endpoint: { type: "builtInParams", name: "endpoint" },
    };
  }
}

export const request = [
  3,
  "ns",
  "Request",
  0,
  ["Bucket", "Key", "VersionId", "Tags", "Since", "Metadata", "Body", "Type"],
  [
    [0, 1],
    [0, 1],
    [0, { httpQuery: "versionId" }],
    [64, { httpHeader: "X-Amz-Tags" }],
    [4, { httpHeader: "If-Modified-Since" }],
    [128, { httpPrefixHeaders: "x-amz-meta-" }],
    [[0, "ns", "Blob", { streaming: 1 }, 42], 16],
    [0, { httpHeader: "Content-Type" }],
  ],
  2,
];
export const put = [
  9,
  "ns",
  "PutObject",
  { http: ["PUT", "/{Key+}?x-id=PutObject", 200] },
  () => request,
  () => undefined,
];
export const make = (input: object, schema: unknown = put) => new Command(schema, input);

export interface Asked {
  readonly Bucket?: string;
  readonly Region?: string;
  readonly ForcePathStyle?: boolean;
}
export function client(changes: object = {}) {
  const asked: Asked[] = [];
  const config = {
    region: async () => "eu-west-1",
    credentials: async () => credentials,
    useFipsEndpoint: async () => false,
    forcePathStyle: false,
    endpointProvider(parameters: Asked) {
      asked.push(parameters);
      const { Bucket, Region, ForcePathStyle } = parameters;
      const authSchemes = [{ name: "sigv4", signingName: "s3", signingRegion: Region }];
      const [hostname, pathname] = ForcePathStyle
        ? ["s3.example.com", `/${Bucket}`]
        : [`${Bucket}.s3.example.com`, "/"];
      return { url: { protocol: "https:", hostname, port: "", pathname }, properties: { authSchemes } };
    },
    ...changes,
  };
  return { config, asked };
}
export const options = { signingDate: AT, expiresIn: 60 };
export const verifier = s3Verifier({
  credentials,
  origins: ["https://s3.example.com", "https://*.s3.example.com"],
  clock: () => AT,
});

/** What the SDK has of an operation whose input has these members beside the bucket and the key. */
export function operation(name: string, method: string, members: Readonly<Record<string, unknown>>): unknown {
  const own = Object.values(members);
  const input = [3, "ns", "Input", 0, ["Bucket", "Key", ...Object.keys(members)], [[0, 1], [0, 1], ...own], 2];
  return [9, "ns", name, { http: [method, "/{Key+}", 200] }, () => input, () => undefined];
}
