import { UsageError } from "../../../command.ts";
import { serviceAccount } from "../../../credentials/google.ts";
import { DOT_SEGMENTS, ENDPOINT, given, HEADERS, METHOD, oneOf, QUERY, STARTS } from "../options.ts";
import { formLine } from "./form-line.ts";
import { splitTarget, type TargetScheme } from "./target-scheme.ts";

/** `gs://bucket/object`, with the service account of Google's libraries. */
export const gcsTarget: TargetScheme = {
  secret: "credentials",
  name: "object",
  options: {
    "signature-version": oneOf("version", "v4", "v2"),
    method: METHOD,
    endpoint: ENDPOINT,
    addressing: oneOf("addressing", "path", "virtual", "bucket-bound"),
    starts: STARTS,
    query: QUERY,
    header: HEADERS,
    "dot-segments": DOT_SEGMENTS,
    resource: oneOf("resource", "bucket"),
    field: undefined,
  },
  locate(target) {
    const fields = splitTarget(target, /^gs:\/\/(?<bucket>[^/]+)(?:\/(?<object>.*))?$/s);
    if (fields !== undefined) return fields;
    throw new UsageError(`the target is ${JSON.stringify(target)}. Write gs://bucket/object`);
  },
  async find(_, { env }) {
    const emulator = env["STORAGE_EMULATOR_HOST"];
    const endpoint = !emulator ? undefined : emulator.includes("://") ? emulator : `http://${emulator}`;
    return { fields: given({ credentials: await serviceAccount(env), endpoint }) };
  },
  form: (line, fields) => formLine(line, { name: "object", fields }),
};
