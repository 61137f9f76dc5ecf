/** What a platform said when it refused, in the members and words of the one error class. */
import type { PlatformFault } from '../errors/index.ts';
import type { Classification, Platform } from './types.ts';

/** The `platform` member of an error. */
export function platformFault(platform: Platform, failure: Classification, status?: number): PlatformFault {
  const { native } = failure;
  return {
    integration_type: platform.manifest.type,
    ...(status === undefined ? {} : { status }),
    ...(native.code === undefined ? {} : { code: native.code }),
    ...(native.message === undefined ? {} : { message: native.message }),
    ...(native.requestId === undefined ? {} : { request_id: native.requestId }),
  };
}

/** One sentence that names who said what; undefined when the platform said nothing in words. */
export function platformWords(platform: Platform, failure: Classification): string | undefined {
  const { code, message } = failure.native;
  if (message === undefined || message === '') return undefined;
  return `${platform.manifest.name} answered${code === undefined ? '' : ` ${code}`}: ${message}`;
}
