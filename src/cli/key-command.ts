import type { Command } from 'commander'
import { InvalidArgumentError, Option } from 'commander'
import { idOfToken, KEY_ID } from '../access/key-token.ts'
import { ROLES } from '../access/role.ts'
import type { IssuedKey } from '../api/key-schemas.ts'
import { type ApiAccess, type ApiFlags, apiAccess } from './api-access.ts'
import type { ApiClient, Reply } from './api-client.ts'
import type { Context } from './context.ts'
import { toSeconds } from './durations.ts'
import { EXIT_CODES_HELP } from './exit-codes.ts'
import { CommandFailure } from './failure.ts'
import { printable } from './format-group.ts'
import { toFailure } from './group-command.ts'
import {
  type ApiOptions,
  caFileOption,
  clientCertFileOption,
  clientKeyFileOption,
  jsonOption,
  keyFileOption,
  urlOption,
} from './group-options.ts'
import { addHashCommand } from './key/hash-command.ts'
import { keyLines, rightsOf } from './key/key-report.ts'
import { NewFile } from './key/new-file.ts'
import { painter } from './status/table.ts'

type IssueFlags = ApiOptions & Readonly<{ out?: string; expires?: number }>
type CreateFlags = IssueFlags & Readonly<{ name: string; role: (typeof ROLES)[number]; prefix?: string }>
type RotateFlags = IssueFlags & Readonly<{ overlap?: number }>

/** Adds `cohort key` with its commands: makes, lists, rotates and revokes API keys. */
export function addKeyCommand(program: Command, context: Context): void {
  const key = program
    .command('key')
    .summary('make, list, rotate and revoke API keys')
    .description(
      'API keys are kept in the cluster. Every connector takes a new key, and refuses a revoked one, within a second. ' +
        'These commands need a key with the role admin, or a connector without authentication.',
    )
  addCreateCommand(key, context)
  addListCommand(key, context)
  addRotateCommand(key, context)
  addRevokeCommand(key, context)
  addHashCommand(key, context)
}

function addCreateCommand(program: Command, context: Context): void {
  withApiOptions(
    program
      .command('create')
      .summary('make a key')
      .description(
        'Makes an API key and prints it. It is shown only this once: the cluster keeps only its hash.',
      )
      .requiredOption('--name <text>', 'what the key is for')
      .addOption(new Option('--role <role>', 'what the key may do').choices([...ROLES]).makeOptionMandatory())
      .option('--prefix <text>', 'the key is only for groups whose id begins with this text')
      .addOption(expiresOption('never'))
      .addOption(outOption()),
  )
    .addHelpText(
      'after',
      `${EXIT_CODES_HELP}

Examples:
  cohort key create --role writer --prefix team-a/ --name ci --expires 90d --out ci.key
  cohort key create --role monitor --name prometheus > prometheus.key`,
    )
    .action(({ name, role, prefix, expires, ...flags }: CreateFlags) =>
      issue(context, flags, 'created', (client) =>
        client.createKey({
          name,
          role,
          ...(prefix === undefined ? {} : { prefix }),
          ...(expires === undefined ? {} : { expiresAt: fromNow(expires) }),
        }),
      ),
    )
}

function addRotateCommand(program: Command, context: Context): void {
  withApiOptions(
    program
      .command('rotate')
      .summary('give a key another secret')
      .description(
        'Gives a key another secret and prints the new key. It keeps its id, its name and its rights. The old secret is ' +
          'refused within a second, or after --overlap.',
      )
      .argument('<key-id>', 'the id of the key ("cohort key list" shows the ids)', toKeyId)
      .addOption(
        new Option('--overlap <duration>', 'for how long the old secret is taken too, at most 30d').argParser(
          toSeconds,
        ),
      )
      .addOption(expiresOption('as it is'))
      .addOption(outOption()),
  )
    .addHelpText(
      'after',
      `${EXIT_CODES_HELP}

Examples:
  cohort key rotate k7Gh3abc --overlap 1h --out ci.key
  cohort key rotate k7Gh3abc --expires 90d`,
    )
    .action((keyId: string, { overlap, expires, ...flags }: RotateFlags) =>
      issue(context, flags, 'rotated', (client) =>
        client.rotateKey(keyId, {
          ...(overlap === undefined ? {} : { overlapSeconds: overlap }),
          ...(expires === undefined ? {} : { expiresAt: fromNow(expires) }),
        }),
      ),
    )
}

function addListCommand(program: Command, context: Context): void {
  withApiOptions(
    program
      .command('list')
      .summary('show all keys, without their secrets')
      .description('Shows all API keys, without their secrets. "last used" can be some minutes behind.'),
  )
    .addHelpText(
      'after',
      `${EXIT_CODES_HELP}

Examples:
  cohort key list
  cohort key list --json`,
    )
    .action((flags: ApiOptions) =>
      withClient(context, flags, async (client, { url }) => {
        const { stdout } = context
        const keys = []
        for (let after: string | undefined; ; ) {
          const { keys: page, after: next } = answerOf(await client.listKeys(after), url).value
          keys.push(...page)
          if (next === undefined) break
          after = next
        }
        const layout = { paint: painter(stdout.hasColours), columns: stdout.columns }
        const lines = flags.json ? keys.map((key) => JSON.stringify(key)) : keyLines(keys, new Date(), layout)
        if (lines.length > 0) stdout.answer(`${lines.join('\n')}\n`)
      }),
    )
}

function addRevokeCommand(program: Command, context: Context): void {
  withApiOptions(
    program
      .command('revoke')
      .summary('revoke a key')
      .description('Deletes an API key. Every connector refuses it within a second.')
      .argument('<key-id>', 'the id of the key ("cohort key list" shows the ids)', toKeyId),
  )
    .addHelpText(
      'after',
      `${EXIT_CODES_HELP}

Examples:
  cohort key revoke k7Gh3abc`,
    )
    .action((keyId: string, flags: ApiOptions) =>
      withClient(context, flags, async (client, { url }) => {
        const { value, text } = answerOf(await client.revokeKey(keyId), url)
        context.stdout.answer(
          flags.json ? `${text}\n` : `revoked the key ${printable(`${value.name} (${value.keyId})`)}\n`,
        )
      }),
    )
}

/** Makes a key, and writes it to a file or to stdout, with nothing beside it. */
async function issue(
  context: Context,
  { out, ...flags }: Omit<IssueFlags, 'expires'>,
  what: string,
  request: (client: ApiClient) => Promise<Reply<IssuedKey>>,
): Promise<void> {
  await withClient(context, flags, async (client, { url }) => {
    const file = out === undefined ? undefined : await NewFile.open(out)
    try {
      const { value, text } = answerOf(await request(client), url)
      const { key, token } = value
      // What is printed may go into a file or a secret store, so it must be a key and nothing else.
      if (idOfToken(token) !== key.keyId)
        throw new CommandFailure(`${url} has answered with something that is no API key`)
      if (file === undefined) context.stdout.answer(flags.json ? `${text}\n` : `${token}\n`)
      else await file.write(`${token}\n`, `the new key ${key.keyId} is lost: rotate or revoke it`)
      const where = file === undefined ? 'It is shown only now' : `It is in ${file.path}`
      context.stderr.write(
        `${what} the key ${printable(`${key.name} (${key.keyId})`)}: ${rightsOf(key)}. ${where}.\n`,
      )
    } finally {
      await file?.discard()
    }
  })
}

async function withClient(
  context: Context,
  flags: ApiFlags,
  work: (client: ApiClient, access: ApiAccess) => Promise<void>,
): Promise<void> {
  const access = apiAccess(context, flags)
  const { ApiClient } = await import('./api-client.ts')
  const client = new ApiClient(access)
  try {
    await work(client, access)
  } finally {
    await client.close()
  }
}

function answerOf<T>(reply: Reply<T>, url: string): Readonly<{ value: T; text: string }> {
  if (reply.kind === 'answered') return reply
  throw toFailure(reply, url)
}

function withApiOptions(command: Command): Command {
  return command
    .addOption(jsonOption())
    .addOption(urlOption())
    .addOption(keyFileOption())
    .addOption(caFileOption())
    .addOption(clientCertFileOption())
    .addOption(clientKeyFileOption())
}

function outOption(): Option {
  return new Option('--out <file>', 'a new file for the key, which only its owner may read (default: stdout)')
}

function expiresOption(otherwise: string): Option {
  return new Option(
    '--expires <duration>',
    `when the key expires, like 90d, 12h or 30m from now (default: ${otherwise})`,
  ).argParser(toSeconds)
}

function toKeyId(text: string): string {
  if (new RegExp(KEY_ID).test(text)) return text
  throw new InvalidArgumentError('Expected the id of a key: the 8 letters and digits after "cohort_".')
}

function fromNow(seconds: number): string {
  return new Date(Date.now() + seconds * 1_000).toISOString()
}
