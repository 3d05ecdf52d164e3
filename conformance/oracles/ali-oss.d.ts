// What of ali-oss the suite calls: the package has no types.
declare module "ali-oss" {
  interface OssOptions {
    readonly region: string;
    readonly endpoint: string;
    readonly cname: boolean;
    readonly sldEnable: boolean;
    readonly bucket: string;
    readonly accessKeyId: string;
    readonly accessKeySecret: string;
    readonly stsToken?: string;
    readonly refreshSTSToken?: () => Promise<object>;
  }
  class OSS {
    constructor(options: OssOptions);
    putBucketCORS(bucket: string, rules: unknown): Promise<object>;
    signatureUrl(name: string, options: object, strictObjectNameValidation: boolean): string;
    signatureUrlV4(
      method: string,
      expires: number,
      request: { readonly headers: object; readonly queries: object },
      objectName: string,
      additionalHeaders: readonly string[],
    ): Promise<string>;
  }
  export = OSS;
}
