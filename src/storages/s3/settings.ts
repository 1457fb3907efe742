import { z } from 'zod'
import { HoldfastError } from '../../errors.js'
import { durationText, flag, secretText, wholeNumber } from '../settings.js'
import { parseStorageUrl } from '../url.js'

/** The settings of `{ driver: 's3', bucket: 'backups' }`. */
export const s3Settings = z
  .strictObject({
    bucket: z.string().min(1, 'is empty'),
    /** Default: that of the environment or profile, else us-east-1. */
    region: z.string().min(1).optional(),
    /** Of another service than Amazon's: `https://s3.example.com`. */
    endpoint: z.url({ protocol: /^https?$/u, error: 'is not an http or https URL' }).optional(),
    /** `https://host/bucket/key` in place of `https://bucket.host/key`. Default: where `endpoint` is given. */
    pathStyle: flag.optional(),
    accessKeyId: z.string().min(1).optional(),
    secretAccessKey: secretText.optional(),
    sessionToken: secretText.optional(),
    /** Of the shared configuration files (`~/.aws`). */
    profile: z.string().min(1).optional(),
    /** A file of certificates, in PEM, that are trusted in place of the usual ones. */
    ca: z.string().min(1).optional(),
    /** `AES256`, `aws:kms` or `aws:kms:dsse`; the bucket's own default where absent. */
    encryption: z.enum(['AES256', 'aws:kms', 'aws:kms:dsse']).optional(),
    kmsKeyId: z.string().min(1).optional(),
    /** `STANDARD_IA`, `GLACIER_IR`, or what else the service knows. */
    storageClass: z.string().min(1).optional(),
    /** How long artifacts and manifests can be neither deleted nor replaced: `30d`. Needs a bucket with object lock. */
    immutableFor: durationText.optional(),
    /** `governance` lets a privileged account lift the lock. Default: `compliance`, which lets nobody. */
    immutableMode: z.enum(['compliance', 'governance']).optional(),
    /** The service checks the SHA-256 of what it gets, and keeps it. Default true; a few services refuse the header. */
    checksums: flag.optional(),
    /** The service honours `If-None-Match: *`. Default true; without it two runs at once are not kept apart. */
    createOnly: flag.optional(),
    /** Bytes of each part of an upload, 5 MiB or more. Default: from 8 MiB on, growing with the object. */
    partSize: wholeNumber.optional(),
  })
  .refine((settings) => (settings.accessKeyId === undefined) === (settings.secretAccessKey === undefined), {
    error: 'needs accessKeyId and secretAccessKey, or neither',
  })
  .refine(({ kmsKeyId, encryption }) => kmsKeyId === undefined || encryption?.startsWith('aws:kms'), {
    error: 'goes with encryption: aws:kms',
    path: ['kmsKeyId'],
  })
  .refine(({ partSize }) => partSize === undefined || partSize >= 5 * 1024 * 1024, {
    error: 'is less than 5 MiB',
    path: ['partSize'],
  })

export type S3Settings = z.infer<typeof s3Settings>

/** `s3://bucket/prefix?region=eu-central-1&endpoint=https://…`; an access key may stand before the bucket. */
export function parseS3Url(text: string): Readonly<Record<string, unknown>> {
  const { host, path, port, user, password, parameters } = parseStorageUrl(text)
  if (host === '' || port !== undefined) {
    throw new HoldfastError(
      'config.invalid',
      's3:// takes a bucket: s3://bucket/prefix?region=eu-central-1',
      {
        hint: 'another service is named with ?endpoint=https://host',
      },
    )
  }
  const prefix = path.replace(/^\/+|\/+$/gu, '')
  return {
    bucket: host,
    ...(prefix === '' ? {} : { prefix }),
    ...(user === undefined ? {} : { accessKeyId: user }),
    ...(password === undefined ? {} : { secretAccessKey: password }),
    ...parameters,
  }
}
