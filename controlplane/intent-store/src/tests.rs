mod contract;
mod history;
