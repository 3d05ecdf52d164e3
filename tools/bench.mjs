import { mustRun, root } from "./run.mjs";
import { installTarballs, packTarballs } from "./tarballs.mjs";

// Measures what ships, side by side with its peers. Arguments go to the bench: npm run bench -- sign
await installTarballs("bench", packTarballs());
mustRun("npm", ["start", "--", ...process.argv.slice(2)], { cwd: `${root}bench` });
