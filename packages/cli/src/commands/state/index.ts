import { parseArguments, word } from "../../arguments.ts";
import { type Command, print, UsageError } from "../../command.ts";
import { moveLinks } from "../../state-owner/move-links.ts";
import { serveSettings } from "../serve/settings.ts";

const HELP = `daypass state move --config FILE   move the links, the audit and the keys of a stopped gateway into PostgreSQL

  --config FILE         the configuration of the gateway: state.postgres names the database, whose schema must be empty
  --state DIR           the gateway's state (default: state.folder of the configuration)
  --json                print the state folder and the new names of its files as JSON`;

const OPTIONS = { config: { type: "string" }, state: { type: "string" }, json: { type: "boolean" } } as const;

export const stateCommand: Command = {
  help: HELP,
  async run(args, { env, stdout }) {
    const { values, positionals } = parseArguments(args, OPTIONS);
    const [action = "", ...more] = positionals;
    word("the action", action, ["move"]);
    if (more.length > 0) throw new UsageError("state move takes no argument");
    const { config, state, json } = values;
    if (!config) throw new UsageError("--config is missing. Name the configuration of the gateway");
    const settings = await serveSettings({ config, state });
    const renamed = await moveLinks(settings, env);
    const text = `moved into PostgreSQL. Renamed in ${settings.state}: ${renamed.join(", ")}`;
    await print(stdout, json === true ? JSON.stringify({ state: settings.state, renamed }) : text);
    return 0;
  },
};
