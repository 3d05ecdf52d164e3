import { expectTools } from "./run.mjs";
import { packTarballs } from "./tarballs.mjs";

// `npm run pack`: the packages as a release would publish them, for an installation from a clone.
expectTools();
const paths = packTarballs().map((path) => (/^[\w./@+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`));
console.log(`\nTo install them, run this in the folder of your project:\n\nnpm install ${paths.join(" ")}`);
