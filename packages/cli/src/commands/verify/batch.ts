import type { BatchArguments } from "../../batch/options.ts";
import { LINES } from "../../batch/record-format.ts";
import { batchInput, resultsToResume, runBatch, skipExisting } from "../../batch/run.ts";
import type { Context, ExitStatus } from "../../command.ts";

const VERIFIED = { begins: ['{"ok":true,', '{"ok":false,'], names: ["ok"] };

/** `daypass verify --batch FILE|-`. */
export async function verifyBatch(
  args: BatchArguments & { readonly batch: string },
  context: Context,
): Promise<ExitStatus> {
  const existing = await resultsToResume(args, VERIFIED);
  const { blocks, done } = await batchInput(args, { format: LINES, stdin: context.stdin });
  const resume = { hasHeader: false, format: LINES, out: args.out };
  return runBatch(
    {
      job: { kind: "verify" },
      existing,
      done,
      findKeys: async () => ({ fields: {} }),
      blocks: await skipExisting(blocks, { ...resume, existing }),
    },
    args,
    context,
  );
}
