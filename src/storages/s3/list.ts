import { ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3'
import type { Context } from '../../env/context.js'
import { isObjectKey } from '../object-key.js'
import type { Page, PagedList } from '../paged-list.js'

/** Where a page begins: behind a key, or where the service said that the one before ended. */
type Start = { readonly StartAfter?: string } | { readonly ContinuationToken: string }

export interface Listed {
  readonly client: S3Client
  readonly bucket: string
  readonly prefix: string
}

/** The objects of a bucket, a thousand a page. */
export function listOf(listed: Listed): PagedList<Start> {
  return {
    prefix: listed.prefix,
    beginning: {},
    behind: (key) => ({ StartAfter: key }),
    page: (cx, start) => pageFrom(cx, listed, start),
  }
}

async function pageFrom(cx: Context, { client, bucket, prefix }: Listed, start: Start): Promise<Page<Start>> {
  const command = new ListObjectsV2Command({
    ...{ Bucket: bucket, ...start },
    ...(prefix === '' ? {} : { Prefix: prefix }),
  })
  const { Contents = [], NextContinuationToken } = await client.send(command, { abortSignal: cx.signal })
  const objects = Contents.flatMap(({ Key = '', Size = 0, LastModified = new Date(0) }) =>
    // Such as the `folder/` that the service's own console makes.
    isObjectKey(Key) ? [{ key: Key, bytes: Size, modified: LastModified }] : [],
  )
  const next = NextContinuationToken === undefined ? undefined : { ContinuationToken: NextContinuationToken }
  return { objects, last: Contents.at(-1)?.Key, next }
}
