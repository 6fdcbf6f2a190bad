/** The options for settings that several processes have. */
import { Option } from 'commander'

const SETTINGS = {
  timeout: ['<seconds>', 'the longest a request may take, 0.1 to 60 (TIMEOUT; default: 3)'],
  'tombstone-grace': [
    '<seconds>',
    'the wait before each of the two steps that remove the tombstone of a deleted group, at least ten timeouts ' +
      '(TOMBSTONE_GRACE; default: 3600)',
  ],
  'drain-timeout': [
    '<seconds>',
    'the longest time that a stop waits for requests, 0 to 600 (DRAIN_TIMEOUT; default: 10)',
  ],
  'replace-after': [
    '<seconds>',
    'after how long an empty node at the address of a member replaces that member, 0 to 86400 ' +
      '(REPLACE_AFTER; default: 60)',
  ],
  'max-connections': [
    '<count>',
    'how many connections a connector keeps open, 1 to 1000000 (MAX_CONNECTIONS; default: 16384)',
  ],
  'rate-limit': [
    '<count>',
    'how many requests each caller may send to one connector in a second, 1 to 1000000 (RATE_LIMIT; default: any)',
  ],
  'cors-origins': [
    '<list>',
    'the origins whose pages may use the API from a browser, separated by commas, or * (CORS_ORIGINS; default: none)',
  ],
  'audit-log': [
    '<file>',
    'who has changed what, one JSON line for each change, or - for stdout (AUDIT_LOG; default: none)',
  ],
  'log-level': ['<level>', 'fatal, error, warn, info, debug, trace or silent (LOG_LEVEL; default: info)'],
} as const

/** The option for a setting, as `--timeout`. */
export function settingOption(name: keyof typeof SETTINGS): Option {
  const [value, description] = SETTINGS[name]
  return new Option(`--${name} ${value}`, description)
}

/** --stop-with-parent, which `cohort up` passes to its processes. */
export function stopWithParentOption(): Option {
  return new Option('--stop-with-parent').hideHelp()
}
