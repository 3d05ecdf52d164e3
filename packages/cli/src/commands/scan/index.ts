import { mapped, moment, oneArgument, parseArguments } from "../../arguments.ts";
import { type Command, print, UsageError } from "../../command.ts";
import { escapeControls } from "../../terminal-text.ts";
import { type PlacedFinding, scan } from "./scan.ts";
import { fileSources, historySource } from "./sources.ts";

export const scanCommand: Command = {
  help: `daypass scan FILE|DIR|- [options]
daypass scan --git [RANGE] [--repo DIR]

Finds presigned URLs of every scheme in logs, pages, JSON, Markdown and Git history, and tells which of them still work. Signatures
and tokens are never shown. Nothing is sent. Exit status 1 if a URL is live or its expiry is unknown, or if a file could not be read.

  --git [RANGE]         scan the history of a repository: all branches, or a range such as v1..HEAD
  --repo DIR            the repository (default: that of the current folder)
  --live                report only live URLs
  --at INSTANT          judge as if at this time
  --json                one object per finding, one per line

Compressed files (.gz) are decompressed. Each URL is reported once, where it was found first.`,
  async run(args, context) {
    const { values, positionals } = parseArguments(args, {
      git: { type: "boolean" },
      repo: { type: "string" },
      live: { type: "boolean" },
      at: { type: "string" },
      json: { type: "boolean" },
    });
    const [first] = positionals;
    if (first !== undefined || values.git !== true)
      oneArgument(positionals, "there is nothing to scan. Name a file, a folder, - or --git");
    if (values.repo !== undefined && values.git !== true) throw new UsageError("--repo needs --git");
    // An unset variable. Git would use the repository of the current folder.
    if (values.repo === "") throw new UsageError("--repo is empty. Name a repository");
    const now = mapped(values.at, (text) => moment("--at", text)) ?? new Date();
    const counts = { live: 0, ended: 0, malformed: 0 };
    let unreadable = 0;
    const onUnreadable = (file: string, error: NodeJS.ErrnoException): void => {
      unreadable += 1;
      const isDamaged = error.code?.startsWith("Z_") === true;
      const why = isDamaged ? `damaged, or not compressed as its name implies: ${error.message}` : error.code;
      context.stderr.write(`not read${isDamaged ? " to its end" : ""}: ${escapeControls(file)} (${why})\n`);
    };
    const sources =
      values.git === true
        ? historySource(first, { path: values.repo, env: context.env })
        : fileSources(first ?? "-", { stdin: context.stdin, onUnreadable });
    for await (const finding of scan(sources, { now, onUnreadable })) {
      counts[finding.life] += 1;
      if (values.live === true && finding.life !== "live") continue;
      await print(context.stdout, values.json === true ? jsonText(finding) : findingText(finding, now));
    }
    const { live, ended, malformed } = counts;
    const total = live + ended + malformed;
    await print(
      context.stderr,
      `${total} presigned ${total === 1 ? "URL" : "URLs"}: ${live} live, ${ended} ended${malformed === 0 ? "" : `, ${malformed} malformed`}`,
    );
    return live > 0 || unreadable > 0 ? 1 : 0;
  },
};

function jsonText({ place, ...finding }: PlacedFinding): string {
  return JSON.stringify({ ...place, ...finding });
}

function findingText(
  { place, life, scheme, methods, resource, signedBy, endsAt, url }: PlacedFinding,
  now: Date,
): string {
  const where = [place.commit?.slice(0, 12), place.file, place.line].filter((part) => part !== undefined).join(":");
  const grants = `${methods === undefined ? "one method (the URL does not say which) on" : methods.join(", ")} ${resource}`;
  return [
    `${where}: ${lifeText({ life, endsAt }, now)}`,
    `  ${scheme}: ${grants}, signed by ${signedBy || "an unnamed key"}`,
    `  ${url}`,
  ]
    .map(escapeControls)
    .join("\n");
}

function lifeText({ life, endsAt }: Pick<PlacedFinding, "life" | "endsAt">, now: Date): string {
  if (life === "malformed") return "malformed";
  if (endsAt === undefined) return "LIVE, end unknown";
  if (life === "live") return `LIVE until ${endsAt.toISOString()} (${left(endsAt, now)} left)`;
  return `ended ${endsAt.toISOString()}`;
}

function left(end: Date, now: Date): string {
  const minutes = Math.floor((end.getTime() - now.getTime()) / 60_000);
  if (minutes < 120) return `${minutes} min`;
  return minutes < 2880 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1440)} days`;
}
