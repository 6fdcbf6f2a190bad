/** The commands about members of groups. The commands `add`, `replace` and `remove` are about nodes. */
import { Argument, type Command, InvalidArgumentError } from 'commander'
import type { GroupMember } from '../api/group-member-schemas.ts'
import { readCount } from '../config/settings.ts'
import { apiAccess } from './api-access.ts'
import type { ApiClient, ListOptions, Reply } from './api-client.ts'
import { PATIENCE_MS } from './backup/patience.ts'
import type { Context } from './context.ts'
import { EXIT_CODES_HELP, UNPRINTED_HELP } from './exit-codes.ts'
import { runApiCommand } from './group-command.ts'
import { formatMember } from './group-member/format-member.ts'
import type { MemberListOptions } from './group-member/list-members.ts'
import {
  type ApiOptions,
  caFileOption,
  clientCertFileOption,
  clientKeyFileOption,
  groupIdArgument,
  ifMatchOption,
  jsonOption,
  keyFileOption,
  urlOption,
} from './group-options.ts'

type ListFlags = ApiOptions & Readonly<{ role?: string; prefix?: string; limit?: string; ids?: boolean }>

const LIMIT = { default: 1, min: 1, max: 1_000_000_000 }

const LIST_EXIT_CODES_HELP = `
Exit codes:
  0  done
  1  not done, or not all are shown: not found, no connector answers, too few nodes answer, or one cannot be read
  2  a flag, an argument or a setting cannot be used
  7  ${UNPRINTED_HELP}`

/** Adds `cohort members`: lists the members of a group. */
export function addMembersCommand(program: Command, context: Context): void {
  withList(
    program
      .command('members')
      .summary('list the members of a group')
      .description(
        'Lists the members of a group in the order of their ids: as a table for people, or with --json as one JSON ' +
          'object per line. Each is as it was at some moment during the command.',
      )
      .addArgument(groupIdArgument())
      .option('--role <role>', 'only members with this role'),
    `
Examples:
  cohort members team-a
  cohort members team-a --role owner --json | jq -r .memberId`,
  ).action((groupId: string, flags: ListFlags) =>
    runList(context, flags, {
      shows: 'memberId',
      nothing: 'no members',
      pagesOf: (client, options) => client.listGroupMembers(groupId, { role: flags.role }, options),
    }),
  )
}

/** Adds `cohort groups-of`: lists the groups that somebody is in. */
export function addGroupsOfCommand(program: Command, context: Context): void {
  withList(
    program
      .command('groups-of')
      .summary('list the groups that somebody is in')
      .description(
        'Lists the groups that somebody is in, in the order of their ids: as a table for people, or with --json as ' +
          'one JSON object per line.',
      )
      .addArgument(memberIdArgument())
      .option('--prefix <text>', 'only groups whose ids begin with this text'),
    `
Examples:
  cohort groups-of alice@example.com
  cohort groups-of alice@example.com --ids --prefix eu/`,
  ).action((memberId: string, flags: ListFlags) =>
    runList(context, flags, {
      shows: 'groupId',
      nothing: 'no groups',
      pagesOf: (client, options) => client.groupsOf(memberId, { prefix: flags.prefix }, options),
    }),
  )
}

/** Adds `cohort member`, with its commands `add`, `check` and `remove`. */
export function addMemberCommand(program: Command, context: Context): void {
  const member = program
    .command('member')
    .summary('add, check and remove members of groups')
    .description('Adds, checks and removes members of groups.')
    .helpCommand(false)
  withCommon(
    member
      .command('add')
      .summary('add a member to a group, or change its role')
      .description('Adds a member to a group, or gives it another role. Without --role, it has none.')
      .addArgument(groupIdArgument())
      .addArgument(memberIdArgument())
      .option('--role <role>', 'what the member is in the group, at most 64 characters')
      .option('--new', 'only add: refuse if somebody with this id is a member already'),
    `
Examples:
  cohort member add team-a alice@example.com --role owner
  cohort member add team-a bob --new`,
  ).action(
    (
      groupId: string,
      memberId: string,
      { role, new: isNew = false, ...options }: ApiOptions & { role?: string; new?: boolean },
    ) => run(context, options, (client) => client.putGroupMember(groupId, memberId, { role, isNew })),
  )
  withCommon(
    member
      .command('check')
      .summary('is somebody in a group now?')
      .description('Shows a member of a group. The exit code is 1 if somebody is not in the group.')
      .addArgument(groupIdArgument())
      .addArgument(memberIdArgument()),
    `
Examples:
  cohort member check team-a alice@example.com && echo welcome`,
  ).action((groupId: string, memberId: string, options: ApiOptions) =>
    run(context, options, (client) => client.getGroupMember(groupId, memberId)),
  )
  withCommon(
    member
      .command('remove')
      .summary('remove a member from a group')
      .description('Removes a member from a group, and shows its last state.')
      .addArgument(groupIdArgument())
      .addArgument(memberIdArgument())
      .addOption(ifMatchOption()),
    `
Examples:
  cohort member remove team-a alice@example.com`,
  ).action((groupId: string, memberId: string, { ifMatch, ...options }: ApiOptions & { ifMatch?: string }) =>
    run(context, options, (client) => client.removeGroupMember(groupId, memberId, ifMatch)),
  )
}

function memberIdArgument(): Argument {
  return new Argument('<member-id>', 'who; if it starts with a dash, write -- before it').argParser(
    (text) => {
      if (text === '') throw new InvalidArgumentError('An id has at least one character.')
      if (!text.isWellFormed()) throw new InvalidArgumentError('An id is well-formed Unicode text.')
      return text
    },
  )
}

function withCommon(command: Command, examples: string): Command {
  return command
    .addOption(jsonOption())
    .addOption(urlOption())
    .addOption(keyFileOption())
    .addOption(caFileOption())
    .addOption(clientCertFileOption())
    .addOption(clientKeyFileOption())
    .addHelpText('after', `${EXIT_CODES_HELP}\n${examples}`)
}

function withList(command: Command, examples: string): Command {
  return command
    .option('--limit <count>', 'at most so many, 1 to 1,000,000,000 (default: all)')
    .option('--ids', 'print only the ids, one per line')
    .option('--json', 'print each as the API shows it, one JSON object per line')
    .addOption(urlOption())
    .addOption(keyFileOption())
    .addOption(caFileOption())
    .addOption(clientCertFileOption())
    .addOption(clientKeyFileOption())
    .addHelpText('after', `${LIST_EXIT_CODES_HELP}\n${examples}`)
}

function run(
  context: Context,
  options: ApiOptions,
  request: (client: ApiClient) => Promise<Reply<GroupMember>>,
): Promise<void> {
  return runApiCommand(context, options, request, formatMember)
}

async function runList(
  context: Context,
  { limit, ids = false, json = false, ...flags }: ListFlags,
  {
    pagesOf,
    ...list
  }: Pick<MemberListOptions, 'shows' | 'nothing'> &
    Readonly<{ pagesOf: (client: ApiClient, options: ListOptions) => MemberListOptions['pages'] }>,
): Promise<void> {
  const access = apiAccess(context, flags)
  const count = limit === undefined ? undefined : readCount('--limit', limit, LIMIT)
  const { ApiClient } = await import('./api-client.ts')
  const { listMembers } = await import('./group-member/list-members.ts')
  const client = new ApiClient(access)
  try {
    await listMembers({
      ...list,
      pages: pagesOf(client, { limit: count, patienceMs: PATIENCE_MS }),
      url: access.url,
      form: ids ? 'ids' : json ? 'json' : 'table',
      output: context.stdout,
    })
  } finally {
    await client.close()
  }
}
