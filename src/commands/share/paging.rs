use crate::api::share::PAGE;
use crate::api::share::filter::Paging;

/// The options of lists that the API gives either way.
#[derive(clap::Args, Debug)]
#[group(skip)]
pub struct Args {
    /// Items per page, at most 100
    #[arg(long, value_name = "N", default_value_t = PAGE, value_parser = clap::value_parser!(u32).range(1..=100))]
    page_size: u32,

    /// Request everything in one response
    #[arg(long, conflicts_with = "page_size")]
    unpaginated: bool,
}

impl Args {
    pub fn paging(&self) -> Paging {
        if self.unpaginated { Paging::Unpaged } else { Paging::Paged(self.page_size) }
    }
}
