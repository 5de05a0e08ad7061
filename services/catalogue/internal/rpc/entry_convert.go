package rpc

import (
	"strconv"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	cataloguev1 "github.com/trama-suite/trama/proto/gen/go/trama/catalogue/v1"
	typev1 "github.com/trama-suite/trama/proto/gen/go/trama/type/v1"
	"github.com/trama-suite/trama/services/catalogue/internal/domain"
	"github.com/trama-suite/trama/services/platform/money"
	platform "github.com/trama-suite/trama/services/platform/rpc"
)

// entryMessage is what the protos of all kinds of entries have in common.
type entryMessage interface {
	proto.Message
	GetName() string
	GetOrganisation() string
	GetTitle() *typev1.LocalizedText
	GetDescription() *typev1.LocalizedText
	GetVisibility() cataloguev1.EntryVisibility
	GetCategory() string
	GetSectors() []string
	GetTags() []string
	GetTerritories() []string
	GetValidFrom() string
	GetValidUntil() string
	GetAttributes() map[string]string
	GetLicence() string
	GetAssuredDate() string
	GetEtag() string
}

func cardOf(m entryMessage) domain.Card {
	return domain.Card{
		Title:       textFromProto(m.GetTitle()),
		Description: textFromProto(m.GetDescription()),
		Visibility:  enumName[domain.EntryVisibility](m.GetVisibility()),
		Category:    m.GetCategory(),
		Sectors:     m.GetSectors(),
		Tags:        m.GetTags(),
		Territories: m.GetTerritories(),
		ValidFrom:   m.GetValidFrom(),
		ValidUntil:  m.GetValidUntil(),
		Attributes:  m.GetAttributes(),
		Licence:     m.GetLicence(),
		AssuredDate: m.GetAssuredDate(),
	}
}

// common is what every kind's message takes from the entry itself.
type common struct {
	name, organisation                  string
	title, description                  *typev1.LocalizedText
	state                               cataloguev1.EntryState
	visibility                          cataloguev1.EntryVisibility
	category                            string
	sectors, tags, territories          []string
	validFrom, validUntil               string
	attributes                          map[string]string
	licence, assuredDate                string
	createTime, updateTime, publishTime *timestamppb.Timestamp
	etag                                string
}

func commonOf(e *domain.Entry) common {
	c := &e.Card
	return common{
		name: e.Name, organisation: e.Organisation, title: textToProto(c.Title), description: textToProto(c.Description),
		state:      enumOf[cataloguev1.EntryState](cataloguev1.EntryState_value, e.State),
		visibility: enumOf[cataloguev1.EntryVisibility](cataloguev1.EntryVisibility_value, c.Visibility),
		category:   c.Category, sectors: c.Sectors, tags: c.Tags, territories: c.Territories,
		validFrom: c.ValidFrom, validUntil: c.ValidUntil, attributes: c.Attributes, licence: c.Licence, assuredDate: c.AssuredDate,
		createTime: timeToProto(e.CreateTime), updateTime: timeToProto(e.UpdateTime), publishTime: timeToProto(e.PublishTime),
		etag: platform.Etag(e.Version),
	}
}

// enumOf returns the proto's value of a name that the domain holds; 0 for none.
func enumOf[E ~int32, S ~string](values map[string]int32, name S) E { return E(values[string(name)]) }

// enumName returns the domain's name of a proto's value; empty for unspecified.
func enumName[S ~string, E protoEnum](value E) S {
	if value == 0 {
		return ""
	}
	return S(value.String())
}

type protoEnum interface {
	~int32
	String() string
}

func moneyOf(a *money.Amount) *typev1.Money {
	if a == nil {
		return nil
	}
	return &typev1.Money{MinorUnits: a.Minor, CurrencyCode: a.Currency}
}

func amountOf(m *typev1.Money) *money.Amount {
	if m == nil {
		return nil
	}
	return &money.Amount{Minor: m.GetMinorUnits(), Currency: m.GetCurrencyCode()}
}

// instantOf returns the time to the microsecond, as the database keeps it.
func instantOf(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime().Truncate(time.Microsecond)
}

func placeholder(n int) string { return "$" + strconv.Itoa(n) }
