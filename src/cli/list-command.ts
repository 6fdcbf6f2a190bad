import type { Command } from 'commander'
import { readCount } from '../config/settings.ts'
import { apiAccess } from './api-access.ts'
import type { Context } from './context.ts'
import { UNPRINTED_HELP } from './exit-codes.ts'
import {
  type ApiOptions,
  caFileOption,
  clientCertFileOption,
  clientKeyFileOption,
  keyFileOption,
  urlOption,
} from './group-options.ts'

type ListFlags = ApiOptions & Readonly<{ prefix?: string; labels?: string; limit?: string; ids?: boolean }>

/** Adds `cohort list`: lists groups. */
export function addListCommand(program: Command, context: Context): void {
  program
    .command('list')
    .summary('list groups')
    .description(
      'Lists groups in the order of their ids: as a table for people, or with --json as one JSON object per line. ' +
        'Each group is as it was at some moment during the command. In a table, long texts are shortened.',
    )
    .option('--prefix <text>', 'only groups whose ids begin with this text')
    .option('--labels <selector>', 'only groups with these labels, as team=core,env in (prod,stage),!legacy')
    .option('--limit <count>', 'at most so many groups, 1 to 1,000,000,000 (default: all)')
    .option('--ids', 'print only the ids, one per line')
    .option('--json', 'print each group as the API shows it, one JSON object per line')
    .addOption(urlOption())
    .addOption(keyFileOption())
    .addOption(caFileOption())
    .addOption(clientCertFileOption())
    .addOption(clientKeyFileOption())
    .addHelpText(
      'after',
      `
A selector has requirements with commas between them, which must all hold:
  key              the group has the label            !key                   it does not have the label
  key=value        the label has this value           key!=value             it has another value, or none
  key in (a,b)     the label has one of these values  key notin (a,b)        it has none of these values
A key or a value with spaces or other signs is written as a JSON string: "cost center"="a,b".

Exit codes:
  0  done
  1  not done, or not all groups are shown: no connector answers, too few nodes answer, or a group cannot be read
  2  a flag or a setting cannot be used
  7  ${UNPRINTED_HELP}

Examples:
  cohort list
  cohort list --prefix eu/ --labels 'team=core,!legacy'
  cohort list --json | jq -r 'select(.version > 1).groupId'
  cohort list --ids --prefix test/ | xargs -d '\\n' -n 1 cohort delete --`,
    )
    .action(async ({ prefix, labels, limit, ids = false, json = false, ...flags }: ListFlags) => {
      const access = apiAccess(context, flags)
      const count = limit === undefined ? undefined : readCount('--limit', limit, LIMIT)
      const { ApiClient } = await import('./api-client.ts')
      const { listGroups } = await import('./list/list-groups.ts')
      const client = new ApiClient(access)
      try {
        await listGroups({
          client,
          url: access.url,
          groups: { prefix, labels },
          limit: count,
          form: ids ? 'ids' : json ? 'json' : 'table',
          output: context.stdout,
        })
      } finally {
        await client.close()
      }
    })
}

const LIMIT = { default: 1, min: 1, max: 1_000_000_000 }
