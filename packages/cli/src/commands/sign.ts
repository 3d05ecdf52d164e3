import { parseArguments } from "../arguments.ts";
import type { Command } from "../command.ts";
import { UsageError } from "../command.ts";
import { BATCH_HELP, BATCH_OPTIONS, batchCommand } from "./batch.ts";

export const signCommand: Command = {
  name: "sign",
  summary: "make a presigned URL",
  help: `daypass sign --batch FILE|- [--out FILE] [--workers N]

${BATCH_HELP}`,
  async run(args, context) {
    const { values } = parseArguments(args, { ...BATCH_OPTIONS, json: { type: "boolean" } });
    if (values.batch !== undefined) return batchCommand("sign", { ...values, batch: values.batch }, context);
    throw new UsageError("expected a URL or --batch");
  },
};
