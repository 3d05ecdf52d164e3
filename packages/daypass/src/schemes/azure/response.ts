/** Response overrides: headers and their parameters. */
export const OVERRIDES: Readonly<Record<string, string>> = {
  "cache-control": "rscc",
  "content-disposition": "rscd",
  "content-encoding": "rsce",
  "content-language": "rscl",
  "content-type": "rsct",
};
