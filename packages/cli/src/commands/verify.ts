import { parseArguments } from "../arguments.ts";
import type { Command } from "../command.ts";
import { UsageError } from "../command.ts";
import { BATCH_HELP, BATCH_OPTIONS, batchCommand } from "./batch.ts";

export const verifyCommand: Command = {
  name: "verify",
  summary: "tell whether a URL would be accepted, and what it grants",
  help: `daypass verify --batch FILE|- [--out FILE] [--workers N]

${BATCH_HELP}`,
  async run(args, context) {
    const { values } = parseArguments(args, { ...BATCH_OPTIONS, json: { type: "boolean" } });
    if (values.batch !== undefined) return batchCommand("verify", { ...values, batch: values.batch }, context);
    throw new UsageError("expected a URL or --batch");
  },
};
