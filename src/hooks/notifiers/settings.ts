import type { Secret } from '../../env/secret.js'
import type { Operation } from '../events.js'

/** When a notifier speaks. A run that was done in part is a failure. */
export type NotifyEvent = 'start' | 'success' | 'failure'

interface CommonConfig {
  /** Default: both; for `ping` also `start`. */
  readonly on?: readonly NotifyEvent[]
  /** Which operations it tells of, as `on` says. Default: all, of which verify and prune on failure alone; for `ping` backup. */
  readonly operations?: readonly Operation[]
  /** How long it may take in all, in milliseconds. Default 10 000. */
  readonly timeoutMs?: number
}

/** `starttls` refuses a server that does not offer it; `implicit` is TLS from the first byte. */
export type MailTls = 'implicit' | 'starttls' | 'none'

/** A message a run, by SMTP, as text. */
export interface EmailConfig extends CommonConfig {
  readonly kind: 'email'
  readonly on?: readonly Exclude<NotifyEvent, 'start'>[]
  /** `smtp://user:password@host:587`, or `smtps://…`; `?tls=none` allows an unencrypted connection. */
  readonly url?: string | Secret
  readonly host?: string
  /** Default: 465 with `tls: 'implicit'`, otherwise 587; on this machine 25. */
  readonly port?: number
  readonly user?: string
  readonly password?: string | Secret
  /** Default `starttls`; `none` for a server on this machine. */
  readonly tls?: MailTls
  /** A PEM file of the authority that the server's certificate is checked with, in place of the system's. */
  readonly ca?: string
  readonly from: string
  readonly to?: string | readonly string[]
  /** Who is told of failures, in place of `to`. */
  readonly failureTo?: string | readonly string[]
  /** Default: the server's name in brackets, and a space. */
  readonly subjectPrefix?: string
}

interface HttpConfig extends CommonConfig {
  /** How often it is tried again when the network or the server fails. Default 3. */
  readonly retries?: number
}

/** The report of the run as JSON, by POST. */
export interface WebhookConfig extends HttpConfig {
  readonly kind: 'webhook'
  readonly url: string | Secret
  /** The key of the signature in `Holdfast-Signature`. */
  readonly secret?: string | Secret
  readonly headers?: Readonly<Record<string, string | Secret>>
}

/** An incoming webhook of Slack, or of what takes the same JSON. */
export interface SlackConfig extends HttpConfig {
  readonly kind: 'slack'
  readonly on?: readonly Exclude<NotifyEvent, 'start'>[]
  readonly url: string | Secret
}

/** A dead man's switch: a service that raises the alarm when no ping comes. */
export interface PingConfig extends HttpConfig {
  readonly kind: 'ping'
  /** As of healthchecks.io: itself on success, with `/start` and `/fail` after it otherwise. */
  readonly url?: string | Secret
  /** In place of what `url` would give. */
  readonly startUrl?: string | Secret
  readonly successUrl?: string | Secret
  readonly failureUrl?: string | Secret
}

export type NotifierConfig = EmailConfig | WebhookConfig | SlackConfig | PingConfig

interface CommonSettings {
  /** Its name in the configuration. */
  readonly name: string
  readonly on: readonly NotifyEvent[]
  readonly operations?: readonly Operation[]
  readonly timeoutMs: number
}

export interface EmailSettings extends CommonSettings {
  readonly kind: 'email'
  readonly host: string
  readonly port: number
  readonly user?: string
  readonly password?: Secret
  readonly tls: MailTls
  readonly ca?: string
  readonly from: string
  readonly to: readonly string[]
  readonly failureTo: readonly string[]
  readonly subjectPrefix?: string
}

interface HttpSettings extends CommonSettings {
  readonly retries: number
}

export interface WebhookSettings extends HttpSettings {
  readonly kind: 'webhook'
  readonly url: Secret
  readonly secret?: Secret
  readonly headers: Readonly<Record<string, Secret>>
}

export interface SlackSettings extends HttpSettings {
  readonly kind: 'slack'
  readonly url: Secret
}

export interface PingSettings extends HttpSettings {
  readonly kind: 'ping'
  readonly startUrl?: Secret
  readonly successUrl?: Secret
  readonly failureUrl?: Secret
}

/** A notifier with every default filled in and every secret wrapped. */
export type NotifierSettings = EmailSettings | WebhookSettings | SlackSettings | PingSettings
