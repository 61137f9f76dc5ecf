/** Leads: what people filled in on a platform's own forms. Read through, never kept by polyad. */
import type { OperationInput } from './object-spec.ts';
import type { Native } from './types.ts';

/** A form of an ad account. */
export interface LeadForm {
  id: string;
  name?: string;
  native_status?: string;
  created_at?: string;
  updated_at?: string;
}

/** One lead. */
export interface Lead {
  id: string;
  created_at?: string;
  form_id?: string;
  campaign_id?: string;
  campaign_name?: string;
  group_id?: string;
  group_name?: string;
  ad_id?: string;
  ad_name?: string;
  /** What was filled in, in the order of the form. Personal. */
  fields: { name: string; value: string }[];
}

export interface LeadSpec {
  forms(input: OperationInput): AsyncIterable<LeadForm>;
  /** Begins an export of a form; answers what it is known by. */
  begin(input: OperationInput, formId: string): Promise<Native>;
  /** @throws PolyadError when it failed */
  ready(input: OperationInput, task: Native): Promise<boolean>;
  download(input: OperationInput, task: Native): AsyncIterable<Lead>;
}
