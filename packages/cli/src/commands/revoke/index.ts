import type { AdminAnswer } from "../../admin/admin-client.ts";
import { ADMIN_HELP, ADMIN_OPTIONS, withAdmin } from "../../admin/admin-options.ts";
import { mapped, moment, parseArguments, word } from "../../arguments.ts";
import { type Command, type ExitStatus, print, UsageError } from "../../command.ts";

type Revocation = AdminAnswer<"POST /revocations">;

const text = ({ kind, value, before }: Revocation): string =>
  [kind, value, before && `before ${before}`].filter(Boolean).join(" ");

const LEFT_OUT = `warning: listings above the prefix leave its objects out. A sync that deletes what the source lacks ("aws s3 sync --delete",
"rclone sync") takes them for deleted. Stop such a sync first.`;

export const revokeCommand: Command = {
  help: `daypass revoke URL                         refuse a URL of any scheme that the gateway serves, or a link
daypass revoke --key ID [--before INSTANT] refuse all that a key signed, or what it signed before an instant
daypass revoke --subject NAME              refuse all that was signed for a subject
daypass revoke --prefix BUCKET/PREFIX      refuse everything below a prefix, and leave it out of listings and zips

Running transfers are cut. daypass revocations lift ID allows it again.
  --reason TEXT         kept with the revocation
${ADMIN_HELP}`,
  async run(args, context) {
    const { values, positionals } = parseArguments(args, {
      ...ADMIN_OPTIONS,
      key: { type: "string" },
      subject: { type: "string" },
      prefix: { type: "string" },
      before: { type: "string" },
      reason: { type: "string" },
    });
    const [url, second] = positionals;
    const { key, subject, prefix, reason, before } = values;
    const given = [url, key, subject, prefix].filter((one) => one !== undefined);
    if (second !== undefined || given.length !== 1)
      throw new UsageError("revoke takes one of URL, --key, --subject and --prefix");
    if (before !== undefined && key === undefined) throw new UsageError("--before needs --key");
    const signedBefore = mapped(before, (instant) => moment("--before", instant))?.toISOString();
    return withAdmin<ExitStatus>(values, context, async (client) => {
      const what = { url, key, subject, prefix, signedBefore, reason };
      const { body } = await client.call("POST /revocations", { body: what });
      await print(context.stdout, values.json === true ? JSON.stringify(body) : `revoked ${text(body)}; id ${body.id}`);
      if (body.kind === "prefix" && values.json !== true && !body.value.startsWith("route:"))
        await print(context.stderr, LEFT_OUT);
      return 0;
    });
  },
};

export const revocationsCommand: Command = {
  help: `daypass revocations list        list revocations, newest first
daypass revocations lift ID     allow again what one refuses

${ADMIN_HELP}`,
  async run(args, context) {
    const { values, positionals } = parseArguments(args, ADMIN_OPTIONS);
    const [action = "", id] = positionals;
    word("the action", action, ["list", "lift"]);
    if ((action === "lift") !== (id !== undefined)) throw new UsageError("revocations takes list, or lift with one id");
    return withAdmin<ExitStatus>(values, context, async (client) => {
      if (id !== undefined) {
        const { body } = await client.call("POST /revocations/{id}/lift", { params: { id } });
        await print(context.stdout, values.json === true ? JSON.stringify(body) : `lifted ${text(body)}`);
        return 0;
      }
      for await (const item of client.items("GET /revocations", {})) {
        const row = `${item.id}  ${text(item)}${item.liftedAt === undefined ? "" : "  lifted"}`;
        await print(context.stdout, values.json === true ? JSON.stringify(item) : row);
      }
      return 0;
    });
  },
};
