/** API keys and callers, as the public API takes and shows them. */
import type { Static } from 'typebox'
import { KEY_ID } from '../access/key-token.ts'
import { ROLES } from '../access/role.ts'
import { TIME } from './backup-schemas.ts'
import { GroupId, NextAfter } from './group-schemas.ts'
import { Type } from './type.ts'

/** The longest time for which the old secret of a rotated key is taken too: 30 days. */
export const OVERLAP_SECONDS_MAX = 30 * 86_400

const KEY_NAME_LENGTH_MAX = 100

const Name = Type.String({
  ...GroupId,
  maxLength: KEY_NAME_LENGTH_MAX,
  description:
    'What the key is for, for people. Other keys may have the same name. 1 to 100 characters, without control characters.',
  examples: ['ci'],
})

const Role = Type.Enum([...ROLES], {
  type: 'string',
  description:
    '`reader` reads groups. `writer` also creates, changes and deletes them. `admin` may do everything. `monitor` sees the metrics and the state of the cluster, and no group.',
  examples: ['writer'],
})

const Prefix = Type.String({
  ...GroupId,
  description:
    'The key may read and change only groups whose id begins with this text. Without it: all groups.',
  examples: ['team-a/'],
})

const ExpiresAt = Type.String({
  pattern: TIME,
  description: 'From this time on the key is refused. Without it, the key does not expire.',
  examples: ['2027-01-15T09:30:00.000Z'],
})

const KeyId = Type.String({
  pattern: KEY_ID,
  description: 'The public id of the key: the 8 characters after `cohort_` in the key.',
  examples: ['k7Gh3abc'],
})

const Time = Type.String({ format: 'date-time' })

const KEY_EXAMPLE = {
  keyId: 'k7Gh3abc',
  name: 'ci',
  role: 'writer',
  prefix: 'team-a/',
  createdAt: '2026-01-15T09:30:00.000Z',
  createdBy: 'admin-key:0aZ3kP9q',
  expiresAt: '2027-01-15T09:30:00.000Z',
}

export const KeyParams = Type.Object({ keyId: KeyId })

export const ApiKey = Type.Object(
  {
    keyId: KeyId,
    name: Name,
    role: Role,
    prefix: Type.Optional(Prefix),
    createdAt: Time,
    createdBy: Type.String({
      description: 'Who created it: the kind and the id of a caller, as `GET /v1/caller` shows them.',
    }),
    rotatedAt: Type.Optional(Time),
    rotatedBy: Type.Optional(Type.String()),
    previousUntil: Type.Optional(
      Type.String({
        format: 'date-time',
        description: 'After a rotation: until when the old secret is taken too.',
      }),
    ),
    expiresAt: Type.Optional(ExpiresAt),
    lastUsedAt: Type.Optional(
      Type.String({
        format: 'date-time',
        description: 'A time at which the key was used. The last use can be some minutes later.',
      }),
    ),
  },
  { title: 'ApiKey', description: 'An API key, without its secret.', examples: [KEY_EXAMPLE] },
)
export type ApiKey = Static<typeof ApiKey>

export const CreateKeyBody = Type.Object(
  {
    name: Name,
    role: Role,
    prefix: Type.Optional(Prefix),
    expiresAt: Type.Optional(ExpiresAt),
  },
  {
    title: 'CreateKey',
    additionalProperties: false,
    description: 'The key to create.',
    examples: [{ name: 'ci', role: 'writer', prefix: 'team-a/', expiresAt: '2027-01-15T09:30:00.000Z' }],
  },
)
export type CreateKeyBody = Static<typeof CreateKeyBody>

export const RotateKeyBody = Type.Object(
  {
    overlapSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: OVERLAP_SECONDS_MAX,
        default: 0,
        description: 'For how long the old secret is taken too, so that programs can change to the new one.',
      }),
    ),
    expiresAt: Type.Optional(ExpiresAt),
  },
  {
    title: 'RotateKey',
    additionalProperties: false,
    description: 'How to rotate a key. Without `expiresAt`, the expiry stays as it is.',
    examples: [{ overlapSeconds: 3600 }],
  },
)
export type RotateKeyBody = Static<typeof RotateKeyBody>

export const IssuedKey = Type.Object(
  {
    key: ApiKey,
    token: Type.String({
      description:
        'The key itself, to be sent as `Authorization: Bearer`. It is shown only in this answer: the cluster keeps only its hash.',
    }),
  },
  {
    title: 'IssuedKey',
    description: 'An API key with its secret.',
    examples: [{ key: KEY_EXAMPLE, token: `cohort_${'k7Gh3abc'.padEnd(36, '.')}` }],
  },
)
export type IssuedKey = Static<typeof IssuedKey>

export const KeyList = Type.Object(
  {
    keys: Type.Array(ApiKey),
    unreadable: Type.Optional(
      Type.Array(Type.String(), {
        description: 'The ids of keys that exist but cannot be read. Missing when there are none.',
      }),
    ),
    after: Type.Optional(NextAfter),
  },
  {
    title: 'KeyList',
    description: 'A page of API keys. A page can be short or empty: only the last page has no `after`.',
    examples: [{ keys: [KEY_EXAMPLE] }],
  },
)
export type KeyList = Static<typeof KeyList>

export const CallerView = Type.Object(
  {
    kind: Type.Enum(['anonymous', 'key', 'admin-key', 'jwt', 'certificate'], {
      type: 'string',
      description: 'How the caller has shown who it is. `anonymous`: the connector has no authentication.',
    }),
    id: Type.String({ description: 'Names the caller among those of its kind.' }),
    name: Type.String({ description: 'For people.' }),
    role: Role,
    prefix: Type.Optional(Prefix),
  },
  {
    title: 'Caller',
    description: 'Who sends a request, and what it may do.',
    examples: [{ kind: 'key', id: 'k7Gh3abc', name: 'ci', role: 'writer', prefix: 'team-a/' }],
  },
)
export type CallerView = Static<typeof CallerView>
