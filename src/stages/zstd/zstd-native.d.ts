/** The part of the package that takes a level; its index.js drops the argument. */
declare module 'zstd-native/bindings.js' {
  export function compress(data: Buffer, level: number): Promise<Buffer>
  export function decompress(data: Buffer): Promise<Buffer>
}
