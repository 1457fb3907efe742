/** The part of the driver that sends documents as they are; not of its public interface, see docs/decisions/mongodb.md. */
declare module 'mongodb/lib/cmap/commands.js' {
  export class DocumentSequence {
    constructor(field: string)
    /** @param serialized one or more documents, one after the other */
    push(document: object, serialized: Uint8Array): number
  }
}
