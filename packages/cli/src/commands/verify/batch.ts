import type { BatchArguments } from "../../batch/batch-options.ts";
import { LINES } from "../../batch/record-format.ts";
import { answersToResume, batchInput, runBatchCommand, withoutAnswered } from "../../batch/run.ts";
import type { Context, ExitStatus } from "../../command.ts";

const VERIFIED = { begins: ['{"ok":true,', '{"ok":false,'], names: ["ok"] };

/** `daypass verify --batch FILE|-`. */
export async function verifyBatch(
  args: BatchArguments & { readonly batch: string },
  context: Context,
): Promise<ExitStatus> {
  const standing = await answersToResume(args, VERIFIED);
  const { blocks, done } = await batchInput(args, { format: LINES, stdin: context.stdin });
  const resume = { hasHeader: false, format: LINES, out: args.out };
  return runBatchCommand(
    {
      job: { kind: "verify" },
      standing,
      done,
      findKeys: async () => ({ fields: {} }),
      blocks: standing === undefined ? blocks : await withoutAnswered(blocks, { ...resume, standing }),
    },
    args,
    context,
  );
}
