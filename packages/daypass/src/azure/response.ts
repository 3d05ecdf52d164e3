/** Response overrides: parameters and headers. */
export const OVERRIDES: readonly (readonly [parameter: string, header: string])[] = [
  ["rscc", "cache-control"],
  ["rscd", "content-disposition"],
  ["rsce", "content-encoding"],
  ["rscl", "content-language"],
  ["rsct", "content-type"],
];
