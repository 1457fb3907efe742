import { z } from 'zod'
import type { Operation } from '../hooks/events.js'
import type {
  EmailConfig,
  NotifierConfig,
  NotifyEvent,
  PingConfig,
  SlackConfig,
  WebhookConfig,
} from '../hooks/notifiers/settings.js'
import { didYouMean } from './nearest.js'
import { strict } from './strict.js'

type Keys<Config> = Record<keyof Required<Config>, z.ZodType>

const filledText = z.string().min(1, 'is empty')
const isSecret = (value: unknown) => typeof Reflect.get(Object(value), 'reveal') === 'function'
const secret = z.union([filledText, z.custom(isSecret, 'expected a Secret')])
const addresses = z.union([filledText, z.array(filledText).min(1, 'is empty')])

const outcomes = ['success', 'failure'] as const satisfies readonly NotifyEvent[]
const events = ['start', ...outcomes] as const satisfies readonly NotifyEvent[]
const operations = [
  'backup',
  'restore',
  'verify',
  'drill',
  'prune',
  'files-backup',
  'files-restore',
] as const satisfies readonly Operation[]

/** Longer than any of it can take, and short of what a timer holds. */
const longestMs = 10 * 60 * 1000

const common = {
  operations: z.array(z.enum(operations)).min(1, 'is empty').optional(),
  timeoutMs: z.int().min(1).max(longestMs).optional(),
}
const onOutcome = z.array(z.enum(outcomes)).min(1, 'is empty').optional()
const onEvent = z.array(z.enum(events)).min(1, 'is empty').optional()
const retries = z.int().min(0).max(20).optional()

const email = strict({
  ...common,
  kind: z.literal('email'),
  on: onOutcome,
  url: secret.optional(),
  host: filledText.optional(),
  port: z.int().min(1).max(65_535).optional(),
  user: filledText.optional(),
  password: secret.optional(),
  tls: z.enum(['implicit', 'starttls', 'none']).optional(),
  ca: filledText.optional(),
  from: filledText,
  to: addresses.optional(),
  failureTo: addresses.optional(),
  subjectPrefix: z.string().optional(),
} satisfies Keys<EmailConfig>)

const webhook = strict({
  ...common,
  kind: z.literal('webhook'),
  on: onEvent,
  url: secret,
  secret: secret.optional(),
  headers: z.record(filledText, secret).optional(),
  retries,
} satisfies Keys<WebhookConfig>)

const slack = strict({
  ...common,
  kind: z.literal('slack'),
  on: onOutcome,
  url: secret,
  retries,
} satisfies Keys<SlackConfig>)

const ping = strict({
  ...common,
  kind: z.literal('ping'),
  on: onEvent,
  url: secret.optional(),
  startUrl: secret.optional(),
  successUrl: secret.optional(),
  failureUrl: secret.optional(),
  retries,
} satisfies Keys<PingConfig>)

const kinds = ['email', 'webhook', 'slack', 'ping'] as const satisfies readonly NotifierConfig['kind'][]

/** The notifiers by name, each of one kind. */
export const notify = z.record(
  filledText,
  z.discriminatedUnion('kind', [email, webhook, slack, ping], {
    error: ({ code, input }) =>
      code === 'invalid_union' ? unknownKind(Reflect.get(Object(input), 'kind')) : undefined,
  }),
)

function unknownKind(kind: unknown): string {
  const near = typeof kind === 'string' ? didYouMean(kind, kinds) : ''
  return `expected one of ${kinds.join(', ')}${near}`
}
