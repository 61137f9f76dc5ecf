/** The unmodified official SDK (npm `tiktok-business-api-sdk-official`), which has callbacks and no types. */

/** What the SDK calls back with: its error text and the body it parsed. */
export interface SdkResult {
  error: Error | null;
  // biome-ignore lint/suspicious/noExplicitAny: answers of a hundred shapes; each test says what it expects.
  body: any;
}

// biome-ignore lint/suspicious/noExplicitAny: the package has no types.
type Untyped = any;

/** Calls one operation of the SDK: `sdk('BCApi', 'bcGet', token, {})`. */
export type SdkCall = (api: string, operation: string, ...args: unknown[]) => Promise<SdkResult>;

/** The SDK, pointed at `basePath` (no slash at the end). */
export async function officialSdk(basePath: string): Promise<SdkCall> {
  // A name that the compiler does not resolve: there are no declarations to be found.
  const name: string = 'tiktok-business-api-sdk-official';
  const module = (await import(name)) as Record<string, Untyped>;
  const client = new module['ApiClient']();
  client.basePath = basePath;
  return (api, operation, ...args) =>
    new Promise((resolve) => {
      const instance = new module[api](client);
      instance[operation](...args, (error: Error | null, body: unknown) => resolve({ error, body }));
    });
}
