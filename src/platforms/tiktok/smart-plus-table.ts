/**
 * Members that the endpoints of Smart+ take. Source: official SDK (business-api-sdk, smart_plus/*.yml) and TikTok docs;
 * targeting lives in `targeting_spec` there, elsewhere at the top.
 */

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** smart_plus/campaign/create. */
export const SMART_CAMPAIGN_CREATE = words(`
  app_id app_promotion_type bid_align_type budget budget_auto_adjust_strategy budget_mode budget_optimize_on
  campaign_app_profile_page_state campaign_name campaign_type catalog_enabled catalog_type disable_skan_campaign
  gaming_ad_compliance_agreement is_advanced_dedicated_campaign is_promotional_campaign objective_type
  operation_status po_number postback_window_mode request_id rta_bid_enabled rta_id rta_product_selection_enabled
  sales_destination special_industries`);

/** smart_plus/campaign/update. */
export const SMART_CAMPAIGN_UPDATE = words('budget budget_auto_adjust_strategy campaign_id campaign_name po_number');

/** campaign/spc/update, of what unified campaigns have (TikTok docs, legacy Smart+). */
export const LEGACY_CAMPAIGN_UPDATE = words('budget campaign_id campaign_name special_industries');

/** `targeting_spec` of smart_plus/adgroup/{create,update}. */
export const TARGETING_SPEC = words(`
  actions age_groups app_targeting_type audience_ids blocked_pangle_app_ids brand_safety_type carrier_ids
  category_exclusion_ids device_model_ids device_price_ranges excluded_audience_ids excluded_custom_actions
  excluded_pangle_audience_package_ids gender household_income included_custom_actions
  included_pangle_audience_package_ids interest_category_ids interest_keyword_ids isp_ids languages location_ids
  min_android_version min_ios_version network_types operating_systems purchase_intention_keyword_ids
  saved_audience_id shopping_ads_retargeting_actions_days shopping_ads_retargeting_custom_audience_relation
  shopping_ads_retargeting_type smart_audience_enabled smart_interest_behavior_enabled spc_audience_age
  spending_power zipcode_ids`);

/** smart_plus/adgroup/create, beside `targeting_spec`. */
export const SMART_ADGROUP_CREATE = words(`
  adgroup_name app_config app_id attribution_event_count bid_price bid_type billing_event budget
  budget_auto_adjust_strategy budget_mode campaign_id catalog_authorized_bc_id catalog_id click_attribution_window
  comment_disabled conversion_bid_price custom_conversion_id dayparting deep_bid_type deep_cpabid
  deep_funnel_event_source deep_funnel_event_source_id deep_funnel_optimization_event
  deep_funnel_optimization_status engaged_view_attribution_window gaming_ad_compliance_agreement
  identity_authorized_bc_id identity_id identity_type is_hfss is_lhf_compliance message_event_set_id
  messaging_app_account_id messaging_app_type min_budget minis_id movie_premiere_date operation_status
  optimization_event optimization_goal phone_info pixel_id placement_type placements product_source
  promotion_target_type promotion_type promotion_website_type request_id roas_bid schedule_end_time
  schedule_start_time schedule_type search_result_enabled share_disabled suggestion_audience_enabled
  targeting_optimization_mode targeting_spec tiktok_subplacements vbo_window video_download_disabled
  view_attribution_window zalo_id_type`);

/** smart_plus/adgroup/update. */
export const SMART_ADGROUP_UPDATE = words(`
  adgroup_id adgroup_name bid_price budget budget_auto_adjust_strategy comment_disabled conversion_bid_price
  dayparting is_hfss is_lhf_compliance min_budget pacing roas_bid schedule_end_time schedule_start_time schedule_type
  share_disabled suggestion_audience_enabled targeting_optimization_mode targeting_spec`);
